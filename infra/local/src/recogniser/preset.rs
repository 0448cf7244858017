//! Commands that are known.

use std::path::Path;

use super::program::{Output, Recogniser, found};

/// Name of the recogniser that Debian has packages of.
pub const POCKETSPHINX: &str = "pocketsphinx";

/// Where Debian's `pocketsphinx-en-us` puts its model.
const MODEL: &str = "/usr/share/pocketsphinx/model/en-us";

const ENGLISH: &[(&str, &str)] = &[("en", "en")];

/// Reads standard output of a recogniser for English out of ffmpeg, or says what is
/// missing. Nothing is downloaded.
pub fn pocketsphinx() -> Result<Recogniser, String> {
    let program = found("ffmpeg")?;
    let model = Path::new(MODEL);
    if !model.join("en-us.lm.bin").is_file() {
        return Err(format!("there is no model in {MODEL}"));
    }
    // Without the padding the last phrase never ends.
    let filters = format!(
        "aresample=16000,aformat=channel_layouts=mono:sample_fmts=s16,apad=pad_dur=2,\
         asr=rate=16000:hmm={MODEL}/en-us:dict={MODEL}/cmudict-en-us.dict:lm={MODEL}/en-us.lm.bin,\
         ametadata=print:key=lavfi.asr.text:file=-"
    );
    let arguments = [
        "-v", "error", "-nostdin", "-i", "{input}", "-af", &filters, "-f", "null", "-",
    ];
    Ok(Recogniser {
        name: POCKETSPHINX.to_owned(),
        program,
        arguments: arguments.map(str::to_owned).to_vec(),
        output: Output::Phrases,
        languages: ENGLISH,
    })
}

/// The preset that needs nothing else.
pub(super) fn named(name: &str) -> Result<Recogniser, String> {
    match name {
        POCKETSPHINX => pocketsphinx(),
        _ => Err(format!(
            "expected NAME='PROGRAM … {{input}} …', NAME='@whisper-cli MODEL', \
             NAME='@faster-whisper MODEL' or {POCKETSPHINX}"
        )),
    }
}

/// A preset for a model.
pub(super) fn with(name: &str, kind: &str, arguments: &[String]) -> Result<Recogniser, String> {
    let known = ["whisper-cli", "faster-whisper"];
    if !known.contains(&kind) {
        return Err(format!(
            "@{kind} is not known; known are @whisper-cli and @faster-whisper"
        ));
    }
    let [model] = arguments else {
        return Err(format!("@{kind} takes one argument, the path of its model"));
    };
    let whisper = [
        "-m",
        model,
        "-f",
        "{input}",
        "-l",
        "{language}",
        "-nt",
        "-np",
    ];
    let python = ["-c", FASTER_WHISPER, model, "{input}", "{language}"];
    let (program, arguments) = match kind {
        "whisper-cli" => ("whisper-cli", &whisper[..]),
        _ => ("python3", &python[..]),
    };
    Ok(Recogniser {
        name: name.to_owned(),
        program: found(program)?,
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        output: Output::Text,
        languages: &[],
    })
}

/// One temperature and one beam: the same audio gives the same text. The package is one
/// that people install themselves.
const FASTER_WHISPER: &str = "import sys; from faster_whisper import WhisperModel; \
    model = WhisperModel(sys.argv[1], device='cpu', compute_type='int8', local_files_only=True); \
    parts, _ = model.transcribe(sys.argv[2], language=sys.argv[3].split('-')[0], beam_size=1, temperature=0); \
    print(' '.join(part.text.strip() for part in parts))";
