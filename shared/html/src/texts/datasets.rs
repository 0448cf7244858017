//! The sentences of the pages of datasets.

use std::fmt;

/// A text that is always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Say {
    // Names of controls, which tests and screen readers know them by.
    NewDataset,
    SaveDataset,
    NewRun,
    EditReference,
    SaveReference,
    EarlierWordings,
    UseWording,
    DeleteDataset,
    DeleteNow,
    KeepIt,
    Upload,
    CheckTable,
    CheckAgain,
    // One dataset.
    Clip,
    Clips,
    Runs,
    NoRuns,
    Keywords,
    NothingSaid,
    NothingIsSaid,
    MarkupHint,
    PlayerKeys,
    Reference,
    ChangedMeanwhile,
    Stands,
    DeleteMeans,
    WasDeleted,
    // A new one.
    EmptyList,
    EmptyListReads,
    Intro,
    Recordings,
    RecordingsHint,
    OneByOne,
    Drop,
    ChooseRecording,
    Uploaded,
    RemoveFailed,
    TableHeading,
    Table,
    TableLost,
    TableHint,
    Name,
    Language,
    LanguageHint,
    CheckHint,
    // Before it is saved.
    CheckHeading,
    LeftOut,
    SavedToo,
    FirstRows,
    Recording,
    Text,
    NotKnown,
    MadeElsewhere,
    LeaveOut,
    TakeOne,
    BestByTest,
    AllSplits,
    AllTogether,
    ChangeSomething,
    NothingUsable,
    StillReading,
    // Something to look at first.
    DemoIs,
    LoadDemo,
}

impl Say {
    /// In English.
    const fn english(self) -> &'static str {
        match self {
            Self::NewDataset => "New dataset",
            Self::SaveDataset => "Save dataset",
            Self::NewRun => "New run",
            Self::EditReference => "Edit",
            Self::SaveReference => "Save reference",
            Self::EarlierWordings => "Earlier wordings",
            Self::UseWording => "Use this wording",
            Self::DeleteDataset => "Delete dataset",
            Self::DeleteNow => "Delete for good",
            Self::KeepIt => "Keep it",
            Self::Upload => "Upload",
            Self::CheckTable => "Check",
            Self::CheckAgain => "Check again",
            Self::Clip => "Clip",
            Self::Clips => "Clips",
            Self::Runs => "Runs",
            Self::NoRuns => "No run has used this dataset yet.",
            Self::Keywords => "Words that matter",
            Self::NothingSaid => "Nothing is said.",
            Self::NothingIsSaid => "Nothing is said in it",
            Self::MarkupHint => {
                "Write {a|b} where both a and b are right, and <*> where anything is. An empty text \
                 means that there is no reference yet."
            }
            Self::PlayerKeys => {
                "While you type: Alt+K plays and pauses, Alt+J and Alt+L go 2 seconds back and forward, \
                 Alt+R repeats the last 3. Ctrl+Enter saves."
            }
            Self::Reference => "Reference",
            Self::ChangedMeanwhile => {
                "Somebody changed this reference since you opened it. Nothing is lost: what stands \
                 now is below, and what you wrote is still in the field. Save to replace what stands."
            }
            Self::Stands => "Reference as it stands",
            Self::DeleteMeans => {
                "Its clips and their references are deleted, its runs with their results and reports, \
                 what reviewers said of them, and the recordings that no other dataset uses. This \
                 can’t be undone."
            }
            Self::WasDeleted => "was deleted.",
            Self::EmptyList => {
                "There are no datasets yet. A dataset is a list of recordings with what is said in \
                 them. Have the recordings and a table of their texts at hand, and make one."
            }
            Self::EmptyListReads => {
                "There are no datasets yet. A dataset is a list of recordings with what is said in \
                 them. Somebody with the role of an editor can make one."
            }
            Self::Intro => {
                "A dataset is a list of recordings with what is said in them. You need the \
                 recordings, and a table with a column for the file and one for its text."
            }
            Self::Recordings => "1. Recordings",
            Self::RecordingsHint => "WAV, MP3, FLAC, M4A, OGG or WebM.",
            Self::OneByOne => {
                "One at a time, up to 4 MiB each, before what is below is filled in. With scripts \
                 switched on, all at once and larger."
            }
            Self::Drop => "Drop recordings, folders and the table here, or choose them:",
            Self::ChooseRecording => "Recordings",
            Self::Uploaded => "Uploaded",
            Self::RemoveFailed => "Remove all that failed",
            Self::TableHeading => "2. References",
            Self::Table => "Table of texts",
            Self::TableLost => {
                "A table is not kept when the page is loaded again. Choose this one again"
            }
            Self::TableHint => {
                "CSV, TSV, text or JSON lines, as spreadsheets save them; for example with the \
                 columns file_name and text. Without a table the clips have no reference, and models \
                 can be compared by people only."
            }
            Self::Name => "Name",
            Self::Language => "Language",
            Self::LanguageHint => "Its English name or its tag: Hindi, hi-IN, ta.",
            Self::CheckHint => "Nothing is saved before you have seen what was found.",
            Self::CheckHeading => "Check before saving",
            Self::LeftOut => "Left out of the dataset",
            Self::SavedToo => "Saved, but look at these",
            Self::FirstRows => "The first clips",
            Self::Recording => "Recording",
            Self::Text => "Text",
            Self::NotKnown => "not known",
            Self::MadeElsewhere => "nothing: made elsewhere",
            Self::LeaveOut => "Leave out what can’t be used",
            Self::TakeOne => "Take:",
            Self::BestByTest => "Models are judged best by test data.",
            Self::AllSplits => {
                "All are taken together. What a model was trained with says little of how good it is."
            }
            Self::AllTogether => "all of them together",
            Self::ChangeSomething => "Change something",
            Self::NothingUsable => "No clip can be saved as things are.",
            Self::StillReading => "Some recordings are still being read. That takes some seconds.",
            Self::DemoIs => {
                "To look around first, load the demo: short recordings in several languages, what \
                 is said in them, and a run of two models over them. The models’ answers were \
                 written down beforehand, so no vendor is asked or paid; costs in its report are what they would be."
            }
            Self::LoadDemo => "Load the demo",
        }
    }
}

impl fmt::Display for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}
