//! Why something was not done. The HTTP status of each kind is chosen in the folder
//! `http`, not here.

use stt_eval_shared::access::keys::Role;
use stt_eval_shared::crypto::NoRandomness;
use stt_eval_shared::domain::run::NotAllowed;
use stt_eval_shared::domain::validate::{Errors, FieldError};
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::store::StoreError;

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It can't be read, or has something in it that is not known.
    Malformed,
    /// It is readable, but not valid.
    Invalid,
    /// Nothing tells who asks.
    Unauthorized,
    /// Who asks may not do that.
    Forbidden,
    /// There is no such thing: it never existed, is gone, or is another project's.
    NoSuch,
    /// There is such a thing, but that can't be done with it.
    NoSuchMethod,
    /// The state of things does not allow it.
    Conflict,
    /// It has changed since it was read.
    Changed,
    /// There is too much of it.
    TooLarge,
    /// It is of a type that is not taken.
    Unsupported,
    /// As many are under way as may be at once.
    TooMany,
    /// It takes longer than one request, and goes on with the next.
    Unfinished,
    /// A provider can't be reached, or says no more than that it can't answer now.
    ProviderUnreachable,
    /// Something that is needed can't be reached; trying again makes sense.
    Unavailable,
    /// A fault of ours; trying again will not help.
    Internal,
}

impl Kind {
    /// Whether the request is not to blame: the same one may be done later.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Unfinished | Self::ProviderUnreachable | Self::Unavailable | Self::Internal
        )
    }
}

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What kind of reason it is.
    pub kind: Kind,
    /// One sentence for people.
    pub message: String,
    /// The fields that are wrong, where it is about fields.
    pub fields: Vec<FieldError>,
    /// How many transcripts could be left out, so that nothing is wrong any more.
    pub could_leave_out: usize,
    /// How many transcripts of a list there are, where none is of a clip of the dataset.
    pub of_another: usize,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What really happened. For logs only.
    pub cause: Option<String>,
}

impl Refusal {
    /// A refusal with a sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            fields: Vec::new(),
            could_leave_out: 0,
            of_another: 0,
            retry_after: None,
            cause: None,
        }
    }

    /// The request can't be read.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, message)
    }

    /// A field can't be read, or is not known.
    pub fn malformed_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with_fields(Kind::Malformed, vec![FieldError::new(field, message)])
    }

    /// Fields are readable, but not valid.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self::with_fields(Kind::Invalid, fields)
    }

    /// The same of one field.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    fn with_fields(kind: Kind, fields: Vec<FieldError>) -> Self {
        let message = match fields.as_slice() {
            [] => "the request is not valid".to_owned(),
            [one] => format!("{}: {}", one.field, one.message),
            [first, rest @ ..] => {
                format!(
                    "{}: {} (and {} more)",
                    first.field,
                    first.message,
                    rest.len()
                )
            }
        };
        Self {
            fields,
            ..Self::new(kind, message)
        }
    }

    /// No valid API key came with the request.
    pub fn unauthorized() -> Self {
        Self::new(
            Kind::Unauthorized,
            "a valid API key is required, in the header X-API-KEY or as a bearer token",
        )
    }

    /// The API key has a weaker role than is needed.
    pub fn forbidden(needed: Role) -> Self {
        let role = match needed {
            Role::Viewer => "viewer",
            Role::Reviewer => "reviewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
        };
        Self::new(
            Kind::Forbidden,
            format!("this API key may not do that; it takes the role {role}"),
        )
    }

    /// The same for what never existed, is gone, or is another project's.
    pub fn no_such(noun: &str) -> Self {
        Self::new(Kind::NoSuch, format!("there is no such {noun}"))
    }

    /// The state of things does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// There is too much of it.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, message)
    }

    /// It is of a type that is not taken.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    /// Something that is needed can't be reached; trying again makes sense.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::Unavailable,
                "the service can't do this right now; please try again in a moment",
            )
        }
        .retry_after(2)
    }

    /// A provider can't be reached, or says no more than that it can't answer now.
    pub fn provider_unreachable(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(Kind::ProviderUnreachable, message)
        }
        .retry_after(30)
    }

    /// A fault of ours; trying again will not help.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::Internal,
                "something went wrong on our side; the request id finds it in the logs",
            )
        }
    }

    /// Adds when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => {
                Self::conflict("it was changed by another request meanwhile; please try again")
            }
            StoreError::Corrupt(_) => Self::internal(error.to_string()),
            StoreError::Unavailable(_) => Self::unavailable(error.to_string()),
        }
    }
}

impl From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<NoRandomness> for Refusal {
    fn from(error: NoRandomness) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<NotAllowed> for Refusal {
    fn from(error: NotAllowed) -> Self {
        Self::conflict(error.to_string())
    }
}

impl From<FieldError> for Refusal {
    fn from(field: FieldError) -> Self {
        Self::invalid(vec![field])
    }
}

/// `Ok` when nothing was collected, else a refusal that names all of it.
///
/// # Errors
/// When something was collected.
pub fn finish(errors: Errors) -> Result<(), Refusal> {
    errors.finish().map_err(Refusal::invalid)
}
