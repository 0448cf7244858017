//! The sentences of the pages in one place, so that another language is another
//! match. Texts with figures in them are made where the figures are.

use std::fmt;

/// Texts of some pages: each name with its sentence, so that none can be without one.
macro_rules! texts {
    ($(#[$about:meta])* $of:ident { $($name:ident: $english:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $of { $($name,)+ }

        impl $of {
            /// In English.
            const fn english(self) -> &'static str {
                match self { $(Self::$name => $english,)+ }
            }
        }

        impl std::fmt::Display for $of {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.english())
            }
        }
    };
}

pub(crate) mod compare;
pub(crate) mod consensus;
pub(crate) mod datasets;
pub(crate) mod following;
pub(crate) mod keys;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod start;
pub(crate) mod variant;

/// A text that is always the same. Headings, names of controls and of places are
/// what tests and screen readers know a page by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Name of the product.
    Product,
    SkipToContent,
    Provisional,
    NothingScored,
    OnlySilence,
    NoClipHasAReference,
    StartFromModels,
    // Headings of the report, which tests rely on.
    WhoWins,
    Gate,
    GatePassed,
    GateFailed,
    GateNotJudged,
    Worst,
    WorstLegend,
    Models,
    Pairs,
    Forgiven,
    Differs,
    Spread,
    Cost,
    Agreement,
    Words,
    Method,
    // Explanations.
    ForestWer,
    ForestDifference,
    ReadRight,
    DifferenceLegend,
    RankLegend,
    FlagsLegend,
    GroupLegend,
    LowerIsBetter,
    PairsLegend,
    PairsFolded,
    WaterfallLegend,
    Lossy,
    SlicesLegend,
    FewClips,
    TooFew,
    CostLegend,
    SpreadLegend,
    WordsLegend,
    HumanLegend,
    AllFoundRight,
    AllFoundWrong,
    FoundDifferently,
    FoundTheSame,
    FoundWrongToo,
    GwetsAc1,
    AgreementLegend,
    Alpha,
    AlphaLegend,
    NoCost,
    NoComparison,
    NoParts,
    Run,
    Report,
    BeforeYouTrust,
    OnThisPage,
    DownloadReport,
    ResultsAsCsv,
    ResultsAsJsonLines,
    Unencrypted,
    SessionEnds,
    MainNavigation,
    SignOut,
    EndsIn,
    Results,
    Order,
    Show,
    More,
    Said,
    NoReference,
    NothingHeard,
    Unmarked,
    JudgedRight,
    JudgedWrong,
    MarksLegend,
    ToTheStart,
    BackToForm,
    BackToList,
    BackToRun,
    BackToDataset,
    BackToClip,
    RequestId,
    Again,
    Pending,
    Processing,
    Completed,
    Failed,
    Cancelled,
    Runs,
    NoRuns,
    Dataset,
    State,
    Done,
    Made,
    Older,
    Refresh,
    CancelRun,
    RetryFailed,
    Model,
    Transcribed,
    SeeReport,
    About,
    Language,
    Datasets,
    Clips,
    WithReference,
    Length,
    Review,
    ReviewHint,
    ReviewBlind,
    PlaysWords,
    AsFile,
    Right,
    Wrong,
    CannotTell,
    Save,
    SaveAndNext,
    Skip,
    Undo,
    Play,
    Position,
    Speed,
    Help,
    WordUnderWord,
    Reasons,
    Comment,
    CountsRight,
    Forgiving,
    OfThisClip,
    Blind,
    AlwaysBlind,
    LeftOut,
    ScoredAlone,
    Previous,
    Back,
    Repeat,
    Forward,
    TableOfPairs,
    NoVersions,
    Others,
    Elsewhere,
    Stands,
    Saved,
    Settled,
    PassedOver,
    Undone,
    NotUndone,
    EditReference,
    ReviewersSay,
    NoResults,
    NoneLeft,
    LastOfQueue,
    EndOfQueue,
    EmptyQueue,
    PartBy,
    NoField,
    BlockBy,
    ClipByClip,
    ShowParts,
    RunsAreMade,
    RunsAreRead,
    EndHint,
    SaysNow,
    SaysNothing,
    AllJudged,
    AllJudgedHint,
    NothingToJudgeYet,
    NothingToJudgeYetHint,
    NothingToJudge,
    NothingToJudgeHint,
    NoPartsYet,
    AllTranscriptions,
    BeginAgain,
}

impl Text {
    /// In English.
    const fn english(self) -> &'static str {
        match self {
            Self::Product => "Speech to text, compared",
            Self::SkipToContent => "Skip to content",
            Self::Provisional => "provisional",
            Self::NothingScored => "Nothing is scored yet.",
            Self::OnlySilence => "Nothing is said on any clip, so there is no error rate.",
            Self::NoClipHasAReference => "No clip has a reference, so nothing can be scored.",
            Self::StartFromModels => "Type references, or start from what models agree on",
            Self::WhoWins => "Who wins",
            Self::Gate => "The gate",
            Self::GatePassed => "passed:",
            Self::GateFailed => "failed:",
            Self::GateNotJudged => "not judged:",
            Self::Worst => "Highest error rates",
            Self::WorstLegend => {
                "The texts with the highest error rates, over all models together; of equal \
                 rates those with more words wrong."
            }
            Self::Models => "Models",
            Self::Pairs => "Pairs",
            Self::Forgiven => "What normalisation forgave",
            Self::Differs => "Where it differs",
            Self::Spread => "How errors are spread",
            Self::Cost => "Cost",
            Self::Agreement => "How reviewers agree",
            Self::Words => "Words that go wrong",
            Self::Method => "How this was measured",
            Self::ForestWer => "Word error rate, with its 95 % interval",
            Self::ForestDifference => {
                "Difference to the lowest, in percentage points, with its 95 % interval"
            }
            Self::ReadRight => {
                "Intervals of two models may overlap although their difference is certain, because \
                 both heard the same clips: decide by the differences, not by this panel."
            }
            Self::DifferenceLegend => {
                "Filled, ✓: chance does not explain it. Hollow, ≈: not distinguishable."
            }
            Self::FlagsLegend => {
                "Beneath the name of a model, transcriptions that it is worth listening to; no \
                 error by itself, and in no rate:"
            }
            Self::RankLegend => {
                "A rank is a range: the places that the comparisons leave open. Models that share a \
                 place are tied."
            }
            Self::GroupLegend => {
                "A thick line ends a group: the models of a group are not distinguishable from its \
                 best. Two neighbours across a thick line may still be alike, as this tells:"
            }
            Self::LowerIsBetter => "lower is better",
            Self::PairsLegend => {
                "Each cell is the word error rate of the row less that of the column, in percentage \
                 points: below zero the row is better. ✓ tells a difference that chance does not \
                 explain, ≈ one that it may."
            }
            Self::PairsFolded => {
                "So many pairs are hard to read; here is each model against the lowest rate."
            }
            Self::WaterfallLegend => {
                "Word error rate from the untouched texts on, after each step of the normaliser. \
                 Each makes something alike. What a step forgives is no error of \
                 hearing; what it adds is shown too."
            }
            Self::Lossy => "hides real differences",
            Self::SlicesLegend => {
                "Parts of the clips, the largest first. Among 20 parts one looks special by \
                 chance."
            }
            Self::FewClips => "few clips",
            Self::TooFew => "too few clips",
            Self::CostLegend => {
                "Best is lower left: cheap, with few errors. A hollow mark is a model that another \
                 one beats for certain at a lower price."
            }
            Self::SpreadLegend => {
                "Share of the clips in which something is said, by their word error rate. A mean \
                 hides models that are perfect on most clips and make things up on some: those are \
                 above 100 %."
            }
            Self::WordsLegend => "Most frequent first, over transcribed clips.",
            Self::HumanLegend => {
                "What most reviewers found, of the transcriptions that they found right or wrong; where \
                 they are divided, one counts for neither. Of fewer than ten no rate is told."
            }
            Self::AllFoundRight => "All found it right",
            Self::AllFoundWrong => "All found it wrong",
            Self::FoundDifferently => "Judged differently",
            Self::FoundTheSame => "Two reviewers find the same",
            Self::FoundWrongToo => "Of what one finds wrong, another does too",
            Self::GwetsAc1 => "Gwet’s AC1, with its 95 % interval",
            Self::AgreementLegend => {
                "Over transcriptions that two or more reviewers found right or wrong; “cannot \
                 tell” does not count. Where nearly everything is right, the share of what is \
                 found wrong together tells more than the share of what is found alike."
            }
            Self::Alpha => "Krippendorff’s alpha",
            Self::AlphaLegend => {
                "It is low where nearly everything is right, however well reviewers agree: read \
                 it beside the figures above."
            }
            Self::NoCost => "No model's cost for an hour of audio is known.",
            Self::NoComparison => "There are no two models to compare on the same clips.",
            Self::NoParts => {
                "All clips are in one language, and are not parted by a field of their table."
            }
            Self::Run => "Run",
            Self::Report => "Report",
            Self::BeforeYouTrust => "Before you trust these figures",
            Self::OnThisPage => "On this page",
            Self::DownloadReport => "Download as one file",
            Self::ResultsAsCsv => "Results as CSV",
            Self::ResultsAsJsonLines => "Results as JSON Lines",
            Self::Unencrypted => {
                "This connection is not encrypted: others on the network can read what you send."
            }
            Self::SessionEnds => {
                "You will be signed out within 15 minutes. What you have saved is kept: sign in \
                 again then, and go on where you were."
            }
            Self::MainNavigation => "Main",
            Self::SignOut => "Sign out",
            Self::EndsIn => "Ends in",
            Self::Results => "Results",
            Self::Order => "Order",
            Self::Show => "Show",
            Self::More => "More",
            Self::Said => "What was said",
            Self::NoReference => "no reference yet",
            Self::NothingHeard => "Nothing was heard.",
            Self::Unmarked => {
                "Too long, or too far from what was said, to be compared word by word here: errors \
                 are not marked. The error rate counts all of them."
            }
            Self::JudgedRight => "judged right",
            Self::JudgedWrong => "judged wrong",
            Self::MarksLegend => {
                "A wavy line: another word was said. A line and +: it was not said. A dotted box \
                 and −: it is missing."
            }
            Self::ToTheStart => "To the start",
            Self::BackToForm => "Back to the form",
            Self::BackToList => "Back",
            Self::BackToRun => "Back to the run",
            Self::BackToDataset => "Back to the dataset",
            Self::BackToClip => "Back to the clip",
            Self::RequestId => "In the logs this is",
            Self::Again => "Try again",
            Self::Pending => "Waiting",
            Self::Processing => "Under way",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Runs => "Runs",
            Self::NoRuns => {
                "There are no runs yet. A run asks several models for transcripts of a dataset."
            }
            Self::Dataset => "Dataset",
            Self::State => "State",
            Self::Done => "Done",
            Self::Made => "Made",
            Self::Older => "Older",
            Self::Refresh => "Refresh",
            Self::CancelRun => "Cancel run",
            Self::RetryFailed => "Retry failed",
            Self::Model => "Model",
            Self::Transcribed => "Transcribed",
            Self::SeeReport => {
                "What a model fails at counts as all words missing; what it can’t be asked for, or \
                 the service failed at, is left out of its score. The report compares models on the \
                 same clips, and tells which differences are real."
            }
            Self::About => "About",
            Self::Language => "Language",
            Self::Datasets => "Datasets",
            Self::Clips => "Clips",
            Self::WithReference => "With a reference",
            Self::Length => "Length",
            Self::Review => "Review",
            Self::ReviewHint => {
                "Listen, and say of each transcription whether it says what was said."
            }
            Self::ReviewBlind => "Which model made which is told once you have judged.",
            Self::PlaysWords => "Press a word to play from it.",
            Self::AsFile => "Open the recording as a file",
            Self::Right => "Right",
            Self::Wrong => "Wrong",
            Self::CannotTell => "Cannot tell",
            Self::Save => "Save",
            Self::SaveAndNext => "Save and next",
            Self::Skip => "Skip",
            Self::Undo => "Undo",
            Self::Play => "Play",
            Self::Position => "Position",
            Self::Speed => "Speed",
            Self::Help => "Keys",
            Self::WordUnderWord => "Word under word",
            Self::Reasons => "Reasons and comment",
            Self::Comment => "Comment",
            Self::CountsRight => "This counts as right: nothing but the spelling differs.",
            Self::Forgiving => "(alone, it counts as right)",
            Self::OfThisClip => "This clip",
            Self::AlwaysBlind => "In this run models are hidden until you have judged.",
            Self::LeftOut => "Clips that you have not judged are left out here.",
            Self::ScoredAlone => {
                "This order has what was scored: what failed, or has no reference, is under “By clip”."
            }
            Self::Previous => "Previous",
            Self::Back => "Back",
            Self::Repeat => "Repeat",
            Self::Forward => "Forward",
            Self::TableOfPairs => "the table of pairs",
            Self::Blind => "Hide which model is which",
            Self::NoVersions => "No model has transcribed this clip.",
            Self::Others => "Others",
            Self::Elsewhere => {
                "You have judged this clip in another window since this page was made. Below is what you sent now; what stands is said with each transcription. Save to keep what you sent."
            }
            Self::Stands => "What stands:",
            Self::Saved => "Saved.",
            Self::Settled => {
                "Saved. “Right” goes with no reason but the spelling: of what contradicted each other, what you did last is kept."
            }
            Self::PassedOver => "Passed over:",
            Self::NotUndone => {
                "It was judged anew since, perhaps in another window: nothing was taken back."
            }
            Self::Undone => "Taken back. This is how it was before.",
            Self::ReviewersSay => "Reviewers say",
            Self::NoResults => "There is none of these.",
            Self::EditReference => "Edit the reference",
            Self::NoneLeft => "Nothing is left to judge behind it",
            Self::LastOfQueue => "The last clip of this queue",
            Self::EmptyQueue => "No clip of this order is left to judge",
            Self::PartBy => "Part the clips by a field of their table",
            Self::NoField => "no field",
            Self::BlockBy => "Draw intervals by",
            Self::ClipByClip => "clip",
            Self::ShowParts => "Show",
            Self::RunsAreMade => {
                "Runs are started by editors: ask one of them, or sign in with the key of one."
            }
            Self::RunsAreRead => {
                "Open a run: its report says which model is best, and who reviews begins there with “Review”."
            }
            Self::EndOfQueue => "That was the last clip in this order",
            Self::EndHint => {
                "Clips that you skipped are still there: begin again, or choose another order."
            }
            Self::SaysNow => {
                "Changed since this was scored; marks and rates are of the one above until the run is scored again. It says now:"
            }
            Self::SaysNothing => "nothing",
            Self::AllJudged => "You have judged every clip",
            Self::AllJudgedHint => "Other people may judge them too: each judgement counts.",
            Self::NothingToJudgeYet => "There is nothing more to judge yet",
            Self::NothingToJudgeYetHint => "The run goes on: come back when more is transcribed.",
            Self::NothingToJudge => "There is nothing to judge",
            Self::NothingToJudgeHint => "No clip of this run was transcribed; why, its page says:",
            Self::NoPartsYet => "Parts of the clips are shown once something is scored.",
            Self::AllTranscriptions => "All transcriptions",
            Self::BeginAgain => "Begin again",
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}
