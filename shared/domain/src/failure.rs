//! Why an item has no transcription, and whose failure that is.
//!
//! The one table of failure codes. What is the model's counts as a transcription
//! without a word, or a model that gives up on hard clips would look better than
//! one that tries. Everything else says nothing of the model: the item is left
//! out of its score and of comparisons, lowers its coverage, and a retry asks for
//! it again.
//!
//! Codes are stored and told as text, and a stored one may be of an earlier or a
//! later release: so they are read as text, and written by [`FailureCode`] only.

pub mod gemini;

use std::fmt;

use stt_eval_scoring::FailedBy;

/// Whose failure a code tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The model's: it was asked, and gave no transcription.
    Model,
    /// The vendor's service.
    Service,
    /// That of the audio on its way to the model.
    Input,
    /// Ours, or the project's.
    Us,
}

macro_rules! failure_codes {
    ($($(#[$meta:meta])* $variant:ident, $code:literal, $whose:ident, $retryable:literal, $message:literal;)+) => {
        /// A reason for which an item has no transcription.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FailureCode {
            $($(#[$meta])* #[doc = $message] $variant,)+
        }

        impl FailureCode {
            /// Every code that an outcome can carry.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable code, as it is stored and told.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// A sentence for people, where nothing more is known.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }

            /// Whether asking again may help, where nothing more is known.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)+ }
            }

            /// Whose failure it is.
            #[must_use]
            pub const fn whose(self) -> Whose {
                match self { $(Self::$variant => Whose::$whose,)+ }
            }
        }
    };
}

failure_codes! {
    // Refused by the filters around the model: part of what one gets for asking
    // it.
    BlockedBlocklist, "blocked_blocklist", Model, false, "The provider blocked this item because of a forbidden term.";
    BlockedJailbreak, "blocked_jailbreak", Model, false, "The provider blocked this item as an attempt to mislead the model.";
    BlockedModelArmor, "blocked_model_armor", Model, false, "The provider's protection of the model blocked this item.";
    BlockedOther, "blocked_other", Model, false, "The provider blocked this item without a known reason.";
    BlockedProhibitedContent, "blocked_prohibited_content", Model, false, "The provider blocked this item as prohibited content.";
    BlockedRecitation, "blocked_recitation", Model, true, "The provider stopped the answer as a recitation of known text.";
    BlockedSafety, "blocked_safety", Model, false, "The provider's safety filter blocked this item.";
    BlockedSpii, "blocked_spii", Model, false, "The provider stopped the answer because of personal data.";
    // An answer that is none.
    EmptyOutput, "empty_output", Model, true, "The model answered without any text.";
    IncompleteOutput, "incomplete_output", Model, true, "The model did not finish its answer.";
    MalformedOutput, "malformed_output", Model, true, "The model's answer was broken by its provider's own account.";
    MaxTokens, "max_tokens", Model, false, "The model wrote more than this length of audio can hold and was stopped.";
    ProviderMalformed, "provider_malformed", Model, true, "The provider's answer for this item could not be read.";
    MissingTranscript, "missing_transcript", Model, false, "no transcript was given for this clip";
    UnsupportedLanguage, "unsupported_language", Model, false, "The model does not support the language of the answer.";
    // The transcription is longer than can be kept here: only hours of speech are, as
    // answers are bounded by the length of the audio.
    OutputTooLong, "output_too_long", Service, false, "the transcription is longer than can be kept";
    // The vendor's, for one item.
    InputUnavailable, "input_unavailable", Service, true, "The provider did not find the audio: it was not there, or there no longer.";
    ProviderCancelled, "provider_cancelled", Service, true, "The provider cancelled this item before it was done.";
    ProviderError, "provider_error", Service, true, "The provider reported an error for this item.";
    ProviderMissing, "provider_missing", Service, true, "the provider's output has no line for this item";
    ProviderQuota, "provider_quota", Service, true, "A limit at the provider kept this item from being worked on.";
    ProviderRejected, "provider_rejected", Service, false, "The provider refused this item as invalid, most likely for its audio.";
    ProviderUnauthorized, "provider_unauthorized", Service, true, "The provider did not accept the credentials for this item.";
    TranscriptFailed, "transcript_failed", Service, false, "the service that made the transcripts failed at this clip";
    UnsupportedByModel, "unsupported_by_model", Service, false, "the model can't take this clip";
    // The vendor's, for a whole job.
    ProviderExpired, "provider_expired", Service, true, "the provider did not process the batch in time";
    ProviderFailed, "provider_failed", Service, true, "the provider failed the whole batch";
    ProviderLost, "provider_lost", Service, true, "the provider no longer has the output";
    ProviderModelUnavailable, "provider_model_unavailable", Service, true, "the provider does not offer the model to the project's key: it was withdrawn, or is closed to keys that have not used it before";
    ProviderNoOutput, "provider_no_output", Service, true, "the provider finished without an output";
    ErrorInAnswer, "error_in_answer", Service, true, "the provider answered with an error in place of a text, and may have billed it";
    RecogniserFailed, "recogniser_failed", Service, true, "the recogniser failed";
    AddressRefused, "address_refused", Service, true, "the address of the model is one that is not asked: private, local to a machine or a network, or without TLS";
    ProviderRedirected, "provider_redirected", Service, true, "the provider sent us elsewhere, and that is not followed";
    ProviderRefused, "provider_refused", Service, true, "the provider refused the batch";
    ProviderTimeout, "provider_timeout", Service, true, "the provider did not finish the batch before the deadline";
    CostCapReached, "cost_cap_reached", Service, true, "it was not sent: the run would have cost more than it may";
    SubmissionUnknown, "submission_unknown", Service, true, "it could not be found out whether the provider took the batch; it was set aside";
    OutcomeUnknown, "outcome_unknown", Service, true, "no answer came, so the provider may have done and billed it";
    AnswerUnusable, "answer_unusable", Service, true, "the provider answered, but not with what was asked, and may have billed it";
    // Ours, or the project's.
    CredentialsRefused, "credentials_refused", Us, true, "the provider does not accept the project's credentials";
    ModelUnavailable, "model_unavailable", Us, false, "the model is no longer offered here";
    NoCredentials, "no_credentials", Us, true, "the project has no credentials for the provider";
    OwnModelGone, "own_model_gone", Us, true, "the project's own model is gone, or is at another address than when the run was made; make a new run";
    ProviderOutOfCredit, "provider_out_of_credit", Us, true, "the account at the provider had no credit left, for too long";
    NothingToSend, "nothing_to_send", Us, true, "nothing of the unit could be sent";
    SampleMissing, "sample_missing", Us, false, "the sample no longer exists";
    // The audio never came to the model.
    AudioUnreadable, "audio_unreadable", Input, true, "the audio could not be read";
    ProviderRefusedAudio, "provider_refused_audio", Input, true, "the provider does not take the audio";
    UnsupportedAudio, "unsupported_audio", Input, false, "the model does not take this audio format";
}

impl FailureCode {
    /// Codes that are stored and not written any more.
    pub const EARLIER: &[Self] = &[
        // Now `unsupported_by_model`.
        Self::UnsupportedAudio,
    ];

    /// The code of this text, if this release knows it.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.as_str() == text)
    }

    /// Whether it is what a stored text says.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        self.as_str() == text
    }

    /// Whether the failure of a single item may pass by itself: an error inside
    /// the vendor, a line that it cancelled, a limit that was reached just then.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::ProviderError | Self::ProviderCancelled | Self::ProviderQuota
        )
    }

    /// Whether the vendor may have billed the item all the same: asking again may
    /// cost twice.
    #[must_use]
    pub const fn may_have_been_billed(self) -> bool {
        matches!(
            self,
            Self::OutcomeUnknown
                | Self::SubmissionUnknown
                | Self::ErrorInAnswer
                | Self::AnswerUnusable
        )
    }

    /// What counts it in metrics: refusals by a model's filters together.
    #[must_use]
    pub fn metric(self) -> &'static str {
        if self.as_str().starts_with("blocked_") {
            "blocked"
        } else {
            self.as_str()
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<FailureCode> for String {
    fn from(code: FailureCode) -> Self {
        code.as_str().to_owned()
    }
}

/// To whom a failure counts by its code.
///
/// One that this release does not know is taken for the service's: blaming a
/// model for what is not known would make a wrong score that looks like any
/// other, while an item left out is seen in the coverage.
#[must_use]
pub fn failed_by(code: &str) -> FailedBy {
    match FailureCode::of(code).map(FailureCode::whose) {
        Some(Whose::Model) => FailedBy::Model,
        Some(Whose::Service | Whose::Input | Whose::Us) | None => FailedBy::Service,
    }
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
