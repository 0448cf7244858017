//! Tokens of Rev (earnings21, earnings22): a file for each recording, which is called alike and
//! may lie in another folder.

use crate::files::stem;
use crate::format::Format;
use crate::layout::Layout;
use crate::manifest::{NO_RECORDINGS, Reader, Row, Said};
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem};
use crate::transcripts::rev_text;

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let mut names = reader.files.names().iter();
    if !names.any(|name| has_audio_extension(name)) {
        let message = format!(
            "no recordings are there: it is read as {}",
            Format::RevNlp.title()
        );
        let problem = Problem::new(Code::Nothing, message);
        let file = layout.files.first().map_or("", String::as_str);
        return Err(problem.file(file).hint(NO_RECORDINGS));
    }
    for name in &layout.files {
        let text = reader.text(name)?;
        let said = rev_text(&text, name)?;
        reader.reading.rows.push(Row {
            id: stem(name).to_owned(),
            file: name.as_str().into(),
            line: 1,
            audio: Some(stem(name).to_owned()),
            said: Said::Text(said),
            ..Row::default()
        });
    }
    Ok(())
}
