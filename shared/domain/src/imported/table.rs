//! Tables of transcripts: CSV, TSV or JSON lines with a column that says which clip
//! it is, one with the transcript, and perhaps `error`, `latency_ms` and `cost_usd`. Other
//! columns are left alone: such tables come out of other tools.

use super::super::rows::{self, Cell, Format, Kind, Record};
use super::super::validate::{Errors, FieldError};
use super::super::{FileId, SampleId};
use super::{MAX_ERROR_CHARS, cost_micro_usd, error, latency_ms, reason, text};

/// Columns that say which clip it is, the most precise first.
const CLIP: [&str; 3] = ["sample_id", "file_id", "filename"];
/// The column of the transcript, and other names of it. Of several the first counts;
/// two of the others are one too many.
const HYPOTHESIS: [&str; 4] = ["hypothesis", "transcription", "transcript", "text"];

const KIND: Kind = Kind {
    header,
    too_long: "a longer transcript fits in the items of a request",
};

fn header(columns: &[String]) -> Result<(), String> {
    let has = |name: &&&str| columns.iter().any(|column| column == **name);
    if !CLIP.iter().any(|name| has(&name)) {
        return Err("the header needs a column sample_id, file_id or filename".to_owned());
    }
    let found: Vec<&str> = HYPOTHESIS.iter().filter(has).copied().collect();
    match found.as_slice() {
        [] => Err("the header needs a column hypothesis".to_owned()),
        [_] | ["hypothesis", ..] => Ok(()),
        [one, other, ..] => Err(format!(
            "the columns {one} and {other} may both be the transcript; call one hypothesis"
        )),
    }
}

/// How a row names its clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipRef {
    /// By the id of its sample.
    Sample(SampleId),
    /// By the id of its file.
    File(FileId),
    /// By the name of its file.
    Name(String),
}

/// One row: the transcript of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line it begins on, from 1.
    pub line: u64,
    /// Which clip it is of.
    pub clip: ClipRef,
    /// The column that says so.
    pub column: &'static str,
    /// What was heard; empty for nothing.
    pub text: String,
    /// Why there is no transcript.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// What it cost, in millionths of a US dollar.
    pub cost_micro_usd: Option<u64>,
}

/// Reads a table of transcripts.
///
/// # Errors
/// Every line that can't be used (up to a bound), a missing column, no rows or
/// too many.
pub fn parse(bytes: &[u8], format: Format) -> Result<Vec<Row>, Vec<FieldError>> {
    let whole = |message: String| vec![FieldError::new("manifest_file_id", message)];
    let mut errors = Errors::new();
    let rows = rows::read(bytes, format, &KIND, &mut errors, &mut row).map_err(whole)?;
    errors.finish()?;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    if rows.is_empty() {
        return Err(whole("the manifest has no rows".to_owned()));
    }
    Ok(rows)
}

fn row(record: Record, errors: &mut Errors) -> Option<Row> {
    let at = |column: &str| format!("line {}: {column}", record.line);
    let find = |name: &str| {
        let mut cells = record.cells.iter();
        cells
            .find(|(column, _)| column == name)
            .map(|(_, cell)| cell)
    };
    let given = |name: &str| match find(name) {
        Some(Cell::Text(text)) if !text.trim().is_empty() => Some(text.as_str()),
        _ => None,
    };
    let named = CLIP
        .into_iter()
        .find_map(|column| given(column).map(|name| (column, name)));
    let clip = match named {
        None => {
            errors.push(at("sample_id"), "give sample_id, file_id or filename");
            None
        }
        Some(("filename", name)) => Some(ClipRef::Name(name.to_owned())),
        Some(("file_id", id)) => match id.trim().parse() {
            Ok(id) => Some(ClipRef::File(id)),
            Err(_) => {
                errors.push(at("file_id"), "is not a file id");
                None
            }
        },
        Some((column, id)) => match id.trim().parse() {
            Ok(id) => Some(ClipRef::Sample(id)),
            Err(_) => {
                errors.push(at(column), "is not a sample id");
                None
            }
        },
    };
    let found = hypothesis(&record);
    let told = match find("error") {
        Some(Cell::Fields(fields)) if !fields.is_empty() => Some(listed(fields)),
        _ => given("error").map(str::to_owned),
    };
    let told = told.as_deref();
    let told = told.and_then(|cell| reason(cell, found.map(|(_, heard)| heard)));
    let failed = told.map(|reason| {
        let shortened: String = reason.chars().take(MAX_ERROR_CHARS).collect();
        errors.keep(error(&at("error"), &shortened))
    });
    let heard = match (&failed, found) {
        (Some(_), _) => Some(String::new()),
        (None, Some((column, heard))) => errors.keep(text(&at(column), heard)),
        (None, None) => {
            errors.push(at("hypothesis"), "is required; \"\" for nothing heard");
            None
        }
    };
    let mut figure = |column: &str| match given(column) {
        None => Some(None),
        Some(number) => match number.trim().parse::<f64>() {
            Ok(number) => Some(Some(number)),
            Err(_) => {
                errors.push(at(column), "must be a number");
                None
            }
        },
    };
    let (latency, cost) = (figure("latency_ms"), figure("cost_usd"));
    let latency = latency?.map(|ms| errors.keep(latency_ms(&at("latency_ms"), ms)));
    let cost = cost?.map(|usd| errors.keep(cost_micro_usd(&at("cost_usd"), usd)));
    Some(Row {
        line: record.line,
        clip: clip?,
        column: named?.0,
        text: heard?,
        error: failed.flatten(),
        latency_ms: latency.flatten(),
        cost_micro_usd: cost.flatten(),
    })
}

/// An object of JSON as a text.
fn listed(fields: &[(String, Option<String>)]) -> String {
    let said = |(name, value): &(String, Option<String>)| {
        let value = value.as_deref().unwrap_or("…");
        format!("{name}: {value}")
    };
    fields.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// The transcript of a row and the column it stands in: an empty cell of a table is a
/// transcript without a word.
fn hypothesis(record: &Record) -> Option<(&str, &str)> {
    HYPOTHESIS.iter().find_map(|name| {
        let mut cells = record.cells.iter();
        let (column, cell) = cells.find(|(column, _)| column == name)?;
        match cell {
            Cell::Blank => Some((column.as_str(), "")),
            Cell::Text(text) => Some((column.as_str(), text.as_str())),
            Cell::Fields(_) | Cell::Other => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ClipRef {
        ClipRef::Name(name.to_owned())
    }

    #[test]
    fn tables_and_json_lines_say_the_same() {
        let csv = "\u{feff}filename,hypothesis,latency_ms,cost_usd,wer\r\n\
                   a.wav,\"नमस्ते, आप\",812.4,0.0001,0.5\r\nb.wav,,,,\r\n";
        let jsonl = "{\"filename\":\"a.wav\",\"text\":\"नमस्ते, आप\",\"latency_ms\":812.4,\
                     \"cost_usd\":0.0001,\"words\":[1]}\n{\"filename\":\"b.wav\",\"text\":\"\"}";
        let csv = parse(csv.as_bytes(), Format::Csv).unwrap();
        let jsonl = parse(jsonl.as_bytes(), Format::Jsonl).unwrap();
        for rows in [&csv, &jsonl] {
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0].clip, name("a.wav"));
            assert_eq!(rows[0].text, "नमस्ते, आप");
            assert_eq!(rows[0].latency_ms, Some(812));
            assert_eq!(rows[0].cost_micro_usd, Some(100));
            assert_eq!((&rows[1].clip, &*rows[1].text), (&name("b.wav"), ""));
            assert_eq!((rows[1].latency_ms, rows[1].cost_micro_usd), (None, None));
        }
    }

    #[test]
    fn the_most_precise_name_of_a_clip_counts_and_so_does_the_hypothesis() {
        let (sample, file) = (
            SampleId::new(crate::DatasetId::mint(1, [1; 10]), 3),
            FileId::mint(1, [2; 10]),
        );
        let table = format!(
            "filename\tfile_id\tsample_id\ttext\thypothesis\n\
             a.wav\t{file}\t{sample}\tthe reference\theard\n\
             a.wav\t{file}\t\t\theard\n"
        );
        let rows = parse(table.as_bytes(), Format::Tsv).unwrap();
        assert_eq!(rows[0].clip, ClipRef::Sample(sample));
        assert_eq!(rows[1].clip, ClipRef::File(file));
        assert!(rows.iter().all(|row| row.text == "heard"));
    }

    #[test]
    fn what_a_service_failed_at_is_no_transcript() {
        let long = "x".repeat(MAX_ERROR_CHARS + 9);
        let csv = format!(
            "filename,hypothesis,error\na,,timeout\nb,half of it,HTTP 503\nc,,none\nd,,500\n\
             e,heard,\nf,,0.25\ng,,{long}\n"
        );
        let jsonl = "{\"filename\":\"a\",\"error\":\"timeout\"}\n\
                     {\"filename\":\"b\",\"text\":null,\"error\":\"timeout\"}\n\
                     {\"filename\":\"c\",\"text\":\"\",\"error\":null}\n\
                     {\"filename\":\"d\",\"text\":\"one\",\"error\":false}\n\
                     {\"filename\":\"e\",\"text\":null,\"error\":{\"code\":503,\"of\":[]}}";
        let rows = |table: &str, format| -> Vec<(String, Option<String>)> {
            let rows = parse(table.as_bytes(), format).unwrap();
            rows.into_iter().map(|row| (row.text, row.error)).collect()
        };
        let failed = |reason: &str| (String::new(), Some(reason.to_owned()));
        let heard = |text: &str| (text.to_owned(), None);
        assert_eq!(
            rows(&csv, Format::Csv),
            [
                failed("timeout"),
                heard("half of it"),
                heard(""),
                failed("500"),
                heard("heard"),
                heard(""),
                failed(&long[..MAX_ERROR_CHARS]),
            ]
        );
        assert_eq!(
            rows(jsonl, Format::Jsonl),
            [
                failed("timeout"),
                failed("timeout"),
                heard(""),
                heard("one"),
                failed("code: 503, of: …"),
            ]
        );
    }

    #[test]
    fn every_line_that_is_wrong_is_named() {
        let fields = |table: &str, format| -> Vec<String> {
            let errors = parse(table.as_bytes(), format).unwrap_err();
            errors.into_iter().map(|error| error.field).collect()
        };
        for (table, line) in [
            ("file_id,text\nx,y\n", "line 2: file_id"),
            ("sample_id,text\nx,y\n", "line 2: sample_id"),
            ("filename,text\n,y\n", "line 2: sample_id"),
            ("filename,text\na,b\0\n", "line 2: text"),
            ("filename,text,latency_ms\na,b,soon\n", "line 2: latency_ms"),
            ("filename,text,latency_ms\na,b,-1\n", "line 2: latency_ms"),
            ("filename,text,cost_usd\na,b,1e9\n", "line 2: cost_usd"),
            ("filename,text\na,b,c\n", "line 2"),
            ("filename\na\n", "manifest_file_id"),
            ("text\na\n", "manifest_file_id"),
            ("filename,text,transcript\na,b,c\n", "manifest_file_id"),
            ("filename,text\n", "manifest_file_id"),
        ] {
            assert_eq!(fields(table, Format::Csv), [line], "{table}");
        }
        for (line, field) in [
            ("{\"filename\":\"a\"}", "line 1: hypothesis"),
            ("{\"filename\":\"a\",\"text\":null}", "line 1: hypothesis"),
            ("{\"filename\":\"a\",\"text\":[]}", "line 1: hypothesis"),
            ("{\"filename\":[],\"text\":\"\"}", "line 1: sample_id"),
            ("[]", "line 1"),
        ] {
            assert_eq!(fields(line, Format::Jsonl), [field], "{line}");
        }
    }
}
