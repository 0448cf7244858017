//! What refusals of the service mean.

use aws_sdk_transcribe::error::{ProvideErrorMetadata, SdkError};

use crate::providers::error::{CallError, Rejection};
use crate::sdk_error::told_briefly;

/// What a failed request means. Of the service's own message nothing is kept: it names
/// objects of the bucket.
pub(super) fn of<E>(error: &SdkError<E>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let message = told_briefly(error);
    let kind = match error {
        SdkError::ConstructionFailure(_) => {
            return CallError::not_sent(Rejection::Invalid, message);
        }
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let said = error.message().unwrap_or_default();
            meaning(error.code().unwrap_or_default(), status, said).map(|kind| (status, kind))
        }
        // Whether a request reached the service is not told.
        _ => None,
    };
    match kind {
        Some((status, kind)) => CallError::Rejected {
            status,
            kind,
            message,
        },
        None => CallError::Ambiguous { message },
    }
}

/// By code, status and words; `None` when it may have been done all the same.
fn meaning(code: &str, status: u16, said: &str) -> Option<Rejection> {
    let quota = Rejection::Quota { retry_after: None };
    let said = said.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    Some(match code {
        "ConflictException" => Rejection::Exists,
        "NotFoundException" => Rejection::NotFound,
        "LimitExceededException"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => quota,
        // The role, the account or its contract: a person must act.
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "SubscriptionRequiredException"
        | "UnrecognizedClientException" => Rejection::Unauthorized,
        // An unknown job is told so, and not by `NotFoundException`.
        "BadRequestException" if says(&["couldn't be found", "could not be found"]) => {
            Rejection::NotFound
        }
        // Of the bucket: what the role may not read or write there.
        "BadRequestException" if says(&["permission", "access denied", "can't be accessed"]) => {
            Rejection::Unauthorized
        }
        "BadRequestException" => Rejection::Invalid,
        _ => match status {
            401 | 403 => Rejection::Unauthorized,
            404 => Rejection::NotFound,
            429 => quota,
            408 | 409 | 500.. => return None,
            _ => Rejection::Invalid,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let quota = Some(Rejection::Quota { retry_after: None });
        for (code, status, said, want) in [
            ("ConflictException", 400, "", Some(Rejection::Exists)),
            (
                "BadRequestException",
                400,
                "The requested job couldn't be found. Check the job name and try your request again.",
                Some(Rejection::NotFound),
            ),
            (
                "BadRequestException",
                400,
                "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request again.",
                Some(Rejection::Unauthorized),
            ),
            (
                "BadRequestException",
                400,
                "1 validation error detected",
                Some(Rejection::Invalid),
            ),
            (
                "AccessDeniedException",
                400,
                "",
                Some(Rejection::Unauthorized),
            ),
            ("LimitExceededException", 400, "", quota),
            ("ThrottlingException", 400, "", quota),
            ("", 429, "", quota),
            ("InternalFailureException", 500, "", None),
            ("ServiceUnavailable", 503, "", None),
            ("", 403, "", Some(Rejection::Unauthorized)),
            ("SerializationException", 400, "", Some(Rejection::Invalid)),
        ] {
            assert_eq!(meaning(code, status, said), want, "{code} {status} {said}");
        }
    }
}
