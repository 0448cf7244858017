//! Prompts of Festival and festvox: `txt.done.data` beside `wav/`, as sets for synthesis
//! have them.

use crate::decode::lines;
use crate::detect::prompt;
use crate::finding::FindingKind;
use crate::layout::Layout;
use crate::manifest::{Reader, Row, Said};
use crate::problem::Problem;

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        let text = reader.text(name)?;
        for (line, content) in lines(&text) {
            // A remark, as Scheme has them.
            if content.trim().is_empty() || content.trim_start().starts_with(';') {
                continue;
            }
            let Some((id, said)) = prompt(content) else {
                let message = "is not ( id \"text\" )";
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, line, message);
                continue;
            };
            let said = said.replace("\\\"", "\"");
            reader.reading.rows.push(Row {
                id: id.to_owned(),
                file: name.as_str().into(),
                line,
                audio: Some(format!("wav/{id}.wav")),
                said: Said::Text(said.trim().to_owned()),
                ..Row::default()
            });
        }
    }
    Ok(())
}
