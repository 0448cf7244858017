//! The formats there are.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $title:literal;)*) => {
        /// A format of manifests, transcripts or results.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in options and documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What people call it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }
        }
    };
}

formats! {
    /// `wav.scp`, `text` and their company.
    Kaldi = "kaldi", "Kaldi data folder";
    /// Recordings and supervisions, or cuts.
    Lhotse = "lhotse", "lhotse manifests";
    /// Parquet with the audio inside.
    Parquet = "parquet", "Parquet with audio";
    /// `metadata.csv` or `.jsonl` with `file_name`.
    Audiofolder = "audiofolder", "Hugging Face audiofolder";
    /// Common Voice, scripted or spontaneous.
    CommonVoice = "common_voice", "Common Voice";
    /// Seven columns without a header.
    Fleurs = "fleurs", "FLEURS";
    /// `stt.csv` or `data.csv` with `audios/`.
    Calibrate = "calibrate", "Calibrate folder";
    /// A root, then paths and numbers of samples; words in `.wrd`.
    Fairseq = "fairseq", "fairseq manifest";
    /// `*.trans.txt`.
    LibriSpeech = "librispeech", "LibriSpeech";
    /// `transcripts.txt` with `audio/`.
    Mls = "mls", "MLS";
    /// `id|raw|normalised`.
    LjSpeech = "ljspeech", "LJSpeech";
    /// Names of files and their texts, TAB between them (Kathbath, Vistaar).
    Transcriptions = "transcriptions", "list of transcriptions";
    /// `( id "text" )`, with `wav/`.
    Festival = "festival", "Festival prompts";
    /// `X.json` beside `X.wav` with `verbatim` and `normalized`.
    IndicVoices = "indicvoices", "IndicVoices";
    /// JSON lines with `audio_filepath`.
    Nemo = "nemo", "NeMo manifest";
    /// Tasks, or one of the smaller exports.
    LabelStudio = "label_studio", "Label Studio export";
    /// `wav_filename,wav_filesize,transcript`.
    DeepSpeech = "deepspeech", "DeepSpeech CSV";
    /// A table with a header.
    Table = "table", "table";
    /// JSON objects, one to a line.
    Jsonl = "jsonl", "JSON lines";
    /// A sheet of Excel.
    Xlsx = "xlsx", "Excel sheet";
    /// `X.txt`, `X.lab`, `X.srt`, `X.vtt` or `X.json` beside `X.wav`.
    SideFiles = "side_files", "audio with text files beside it";
    /// Recordings and nothing else.
    Audio = "audio", "audio files";
    /// Line n of one file belongs to line n of the other.
    Lines = "lines", "plain lines";
    /// An id, then words.
    KaldiText = "kaldi_text", "ids and texts";
    /// `words (id)`.
    Trn = "trn", "TRN";
    /// Segments with times and words.
    Stm = "stm", "STM";
    /// Words with times.
    Ctm = "ctm", "CTM";
    /// A list of segments in JSON.
    SegLst = "seglst", "SegLST";
    /// Subtitles.
    Srt = "srt", "SubRip subtitles";
    /// Subtitles of the web.
    Vtt = "vtt", "WebVTT subtitles";
    /// Annotations of ELAN, in tiers.
    Elan = "elan", "ELAN annotations";
    /// Annotations of Praat, in tiers.
    TextGrid = "textgrid", "Praat TextGrid";
    /// `start⇥end⇥text` of Whisper.
    WhisperTsv = "whisper_tsv", "Whisper TSV";
    /// One token to a row.
    RevNlp = "rev_nlp", "Rev NLP";
    /// The answer of a service for one recording.
    Service = "service", "result of a service";
}

impl Format {
    /// The format of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|one| one.name() == name).copied()
    }

    /// Whether it says where recordings are.
    #[must_use]
    pub const fn is_manifest(self) -> bool {
        !matches!(
            self,
            Self::Lines
                | Self::KaldiText
                | Self::Trn
                | Self::Stm
                | Self::Ctm
                | Self::SegLst
                | Self::Srt
                | Self::Vtt
                | Self::Elan
                | Self::TextGrid
                | Self::WhisperTsv
                | Self::RevNlp
                | Self::Service
        )
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
