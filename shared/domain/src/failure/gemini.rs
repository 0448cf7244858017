//! Gemini's words for why an answer is none, in a run and in answers that are imported.
//!
//! <https://ai.google.dev/api/generate-content#FinishReason> and `#BlockReason`; those of
//! Vertex AI are among them.

use super::FailureCode;

/// The failure of an answer with this `finishReason`; `None` where it ended by itself.
#[must_use]
pub fn of_finish(reason: &str) -> Option<FailureCode> {
    Some(match reason {
        "STOP" => return None,
        "MAX_TOKENS" => FailureCode::MaxTokens,
        "SAFETY" | "IMAGE_SAFETY" => FailureCode::BlockedSafety,
        "RECITATION" => FailureCode::BlockedRecitation,
        "BLOCKLIST" => FailureCode::BlockedBlocklist,
        "PROHIBITED_CONTENT" => FailureCode::BlockedProhibitedContent,
        "SPII" => FailureCode::BlockedSpii,
        "MODEL_ARMOR" => FailureCode::BlockedModelArmor,
        "LANGUAGE" => FailureCode::UnsupportedLanguage,
        "MALFORMED_RESPONSE" | "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" => {
            FailureCode::MalformedOutput
        }
        _ => FailureCode::IncompleteOutput,
    })
}

/// The failure of a prompt with this `blockReason`.
#[must_use]
pub fn of_block(reason: &str) -> FailureCode {
    match reason {
        "SAFETY" | "IMAGE_SAFETY" => FailureCode::BlockedSafety,
        "BLOCKLIST" => FailureCode::BlockedBlocklist,
        "PROHIBITED_CONTENT" => FailureCode::BlockedProhibitedContent,
        "MODEL_ARMOR" => FailureCode::BlockedModelArmor,
        "JAILBREAK" => FailureCode::BlockedJailbreak,
        _ => FailureCode::BlockedOther,
    }
}
