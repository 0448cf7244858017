//! Manifests of fairseq: a root and paths in one file, words in another.

use super::text_if_there;
use crate::decode::lines;
use crate::finding::FindingKind;
use crate::layout::Layout;
use crate::manifest::{Reader, Row, Said};
use crate::problem::{Code, Problem, counted};

/// Samples a second of what fairseq is trained with.
const SAMPLE_RATE: f64 = 16_000.0;

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        one(reader, name)?;
    }
    Ok(())
}

fn one(reader: &mut Reader<'_>, name: &str) -> Result<(), Problem> {
    let text = reader.text(name)?;
    let mut rows = lines(&text);
    let root = rows.next().map_or("", |(_, root)| root.trim());
    let rows: Vec<(u64, &str)> = rows.filter(|(_, line)| !line.trim().is_empty()).collect();
    let words = words(reader, name)?;
    if let Some((file, words)) = &words
        && words.len() != rows.len()
    {
        let message = format!(
            "has {}, {name} {}: one too many or too few shifts all that follow",
            counted(words.len(), "line", "lines"),
            counted(rows.len(), "recording", "recordings")
        );
        return Err(Problem::new(Code::Mismatch, message).file(file));
    }
    for (index, (line, row)) in rows.iter().enumerate() {
        let Some((path, samples)) = row.split_once('\t') else {
            let message = "is not a path, a TAB and a number of samples";
            reader
                .findings
                .of_line(FindingKind::BadRow, name, *line, message);
            continue;
        };
        let (file, place, said) = match &words {
            Some((file, words)) => {
                let text = words.get(index).cloned().unwrap_or_default();
                (file.clone(), index as u64 + 1, Said::Text(text))
            }
            None => (name.to_owned(), *line, Said::Absent),
        };
        reader.reading.rows.push(Row {
            id: crate::files::stem(path).to_owned(),
            file: file.into(),
            line: place,
            audio: Some(format!("{}/{path}", root.trim_end_matches('/'))),
            said,
            seconds: samples.trim().parse::<f64>().ok().map(|n| n / SAMPLE_RATE),
            ..Row::default()
        });
    }
    Ok(())
}

/// The texts that belong to a manifest: words, or letters with `|` between words.
fn words(reader: &mut Reader<'_>, name: &str) -> Result<Option<(String, Vec<String>)>, Problem> {
    let stem = name.strip_suffix(".tsv").unwrap_or(name);
    let file = format!("{stem}.wrd");
    if let Some(text) = text_if_there(reader, &file)? {
        let words = lines(&text).map(|(_, line)| line.trim().to_owned());
        return Ok(Some((file, words.collect())));
    }
    let file = format!("{stem}.ltr");
    let Some(text) = text_if_there(reader, &file)? else {
        return Ok(None);
    };
    let words = lines(&text).map(|(_, line)| {
        let letters: String = line.split(' ').collect();
        letters.replace('|', " ").trim().to_owned()
    });
    Ok(Some((file, words.collect())))
}
