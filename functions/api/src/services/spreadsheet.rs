//! Tables as spreadsheets save them, made into those of the contract: UTF-16, semicolons
//! and TABs, other names of columns. What is one of the contract already stays to the
//! byte, and every record keeps its line, so that errors name the line that a person sees.

use bytes::Bytes;
use stt_eval_formats::decode::{Encoding, decode};
use stt_eval_formats::table::{Columns, Record, RecordError, Records, Role, dialect, key, role_of};
use stt_eval_shared::domain::manifest::{Format, MAX_LINE_BYTES};

/// What a table is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use<'a> {
    /// Samples of a dataset.
    Samples,
    /// Transcripts of clips.
    Transcripts {
        /// What their model is called.
        model: &'a str,
    },
}

impl Use<'_> {
    /// Columns that say which recording it is, as the contract names them.
    const fn clips(self) -> &'static [&'static str] {
        match self {
            Self::Samples => &["file_id", "filename"],
            Self::Transcripts { .. } => &["sample_id", "file_id", "filename"],
        }
    }

    /// Columns of the contract, by what they hold in tables of others, and all names that
    /// are known already.
    const fn others(self) -> &'static [(Option<Role>, &'static str, &'static [&'static str])] {
        match self {
            Self::Samples => &[
                (Some(Role::Text), "ground_truth", &["ground_truth"]),
                (Some(Role::Language), "language", &["language"]),
            ],
            Self::Transcripts { .. } => &[
                (
                    Some(Role::Hypothesis),
                    "hypothesis",
                    &["hypothesis", "transcription", "transcript", "text"],
                ),
                (None, "error", &["error"]),
            ],
        }
    }
}

/// A table as the contract has it. What can't be read as another one comes back as it
/// is: then it is for the reader of manifests to say what is wrong with it.
#[must_use]
pub fn of_contract(bytes: Bytes, format: Format, of: Use<'_>) -> (Bytes, Format) {
    let Ok(decoded) = decode(&bytes) else {
        return (bytes, format);
    };
    let likely = match format {
        Format::Csv => b',',
        Format::Tsv => b'\t',
        Format::Jsonl if decoded.encoding == Encoding::Utf8 => return (bytes, format),
        Format::Jsonl => return (decoded.text.into_string().into(), format),
    };
    let text = decoded.text;
    let found = dialect(&text, likely);
    let mut records = Records::new(&text, found);
    let Some(Ok(header)) = records.next() else {
        return (bytes, format);
    };
    let names: Vec<String> = header
        .cells
        .iter()
        .map(|cell| cell.trim().to_owned())
        .collect();
    let mut renamed = renamed(&names, of);
    // Spreadsheets write empty columns behind the last one.
    while renamed.len() > 1 && renamed.last().is_some_and(String::is_empty) {
        renamed.pop();
    }
    let is_written_so = found.delimiter == likely && (found.quoting || !text.contains('"'));
    // Quotes that are not doubled are another text to each reader of CSV.
    let is_loose = |record| match record {
        Ok(Record { is_loose, .. }) => is_loose,
        Err(error) => matches!(error, RecordError::Stray { .. }),
    };
    let is_strict = || !records.clone().any(is_loose);
    if is_written_so && is_strict() && renamed == names && decoded.encoding == Encoding::Utf8 {
        return (bytes, format);
    }
    (
        rewritten(header.line, &renamed, records, found.quoting).into(),
        Format::Csv,
    )
}

/// Names of the contract in the place of those of others. Where a name of the contract
/// is there, nothing else is taken for it.
fn renamed(names: &[String], of: Use<'_>) -> Vec<String> {
    let columns = Columns::new(names.to_vec());
    let has = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    let mut renamed = names.to_vec();
    let mut rename = |column: Option<usize>, to: &str| {
        if let Some(name) = column.and_then(|column| renamed.get_mut(column)) {
            to.clone_into(name);
        }
    };
    if let Use::Transcripts { model } = of {
        rename(called_as(names, model), "hypothesis");
    }
    if !has(of.clips()) {
        let column = columns.first(Role::Audio);
        // Of transcripts an id is the name of the recording without its ending.
        let by_id = columns.first(Role::Id).filter(|_| of != Use::Samples);
        let column = column.or(by_id);
        let is_id = column.is_some_and(|column| key(columns.name(column)) == key("file_id"));
        rename(column, if is_id { "file_id" } else { "filename" });
    }
    for (role, name, known) in of.others() {
        if !has(known) {
            // Spreadsheets have them in capitals.
            let spelt = |known: &&str| names.iter().position(|name| key(name) == key(known));
            let column = role.and_then(|role| columns.first(role));
            rename(column.or_else(|| known.iter().find_map(spelt)), name);
        }
    }
    renamed
}

/// The name of the column that is called as the model is, if there is no other name for it.
fn called_as(names: &[String], model: &str) -> Option<usize> {
    let columns = Columns::new(names.to_vec());
    if columns.first(Role::Hypothesis).is_some() {
        return None;
    }
    let is_it = |name: &String| key(name) == key(model) && role_of(name) == Role::Other;
    names.iter().position(is_it)
}

/// CSV that is written record by record, each on the line it was read from.
struct Writer {
    text: String,
    /// Line that is written next, from 1.
    line: u64,
}

impl Writer {
    /// Goes on to a line. Blank lines are no records, and count as lines.
    fn go_to(&mut self, line: u64) {
        while self.line < line {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.line += 1;
    }

    fn cell(&mut self, cell: &str) {
        if cell.contains([',', '"', '\n', '\r']) {
            self.text.push('"');
            self.text.push_str(&cell.replace('"', "\"\""));
            self.text.push('"');
            self.line += cell.bytes().filter(|byte| *byte == b'\n').count() as u64;
        } else {
            self.text.push_str(cell);
        }
    }

    fn record<'a>(&mut self, line: u64, cells: impl IntoIterator<Item = &'a str>) {
        self.go_to(line);
        let mut cells = cells.into_iter();
        if let Some(first) = cells.next() {
            // A blank line would be no record.
            match first {
                "" => self.text.push_str("\"\""),
                first => self.cell(first),
            }
        }
        for cell in cells {
            self.text.push(',');
            self.cell(cell);
        }
        self.end_line();
    }

    /// A record that is longer than is taken, so that this is told with its line.
    fn too_long(&mut self, line: u64) {
        self.go_to(line);
        self.text.push_str(&"x".repeat(MAX_LINE_BYTES + 1));
        self.end_line();
    }
}

/// A cell of a table in which quotes stand for themselves. Spreadsheets quote what has a
/// comma all the same.
fn unquoted(cell: &str) -> &str {
    let inner = cell
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| inner.contains(',') && !inner.contains('"'))
        .unwrap_or(cell)
}

fn rewritten(line: u64, names: &[String], records: Records<'_>, quoting: bool) -> String {
    let shown: fn(&str) -> &str = if quoting { |cell| cell } else { unquoted };
    let mut writer = Writer {
        text: String::new(),
        line: 1,
    };
    writer.record(line, names.iter().map(String::as_str));
    for record in records {
        match record {
            Ok(Record { line, cells, .. }) => {
                let behind = cells.get(names.len()..).unwrap_or_default();
                let is_padded = behind.iter().all(|cell| cell.trim().is_empty());
                let width = if is_padded { names.len() } else { cells.len() };
                writer.record(line, cells.iter().take(width).map(|cell| shown(cell)));
            }
            Err(RecordError::TooLong { line }) => writer.too_long(line),
            // Said with its line by the reader of manifests, if the quote is still one.
            Err(error) => {
                writer.go_to(error.line());
                writer.text += &",".repeat(names.len().saturating_sub(1));
                writer.text.push('"');
                break;
            }
        }
    }
    writer.text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &[u8], format: Format, of: Use<'_>) -> String {
        let (bytes, _) = of_contract(Bytes::copy_from_slice(table), format, of);
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn tables_of_the_contract_stay_as_they_are() {
        for (table, format) in [
            ("file_id,text,ground_truth\r\na,\"b;c\",d\r\n", Format::Csv),
            ("filename\tground_truth\na\tb,c;d\n", Format::Tsv),
            ("filename\tground_truth\n\"a\"\t\"b\tc\"\n", Format::Tsv),
            ("{\"file\":\"a\"}\n", Format::Jsonl),
            ("\u{feff}filename,ground_truth\na,\n", Format::Csv),
            ("", Format::Csv),
            ("what,ever\n1,2\n", Format::Csv),
        ] {
            let (bytes, same) = of_contract(Bytes::from(table), format, Use::Samples);
            assert_eq!((&*bytes, same), (table.as_bytes(), format), "{table}");
        }
        let broken = b"filename,x\n\xff,y\n";
        let (bytes, _) = of_contract(Bytes::from_static(broken), Format::Csv, Use::Samples);
        assert_eq!(&*bytes, broken);
    }

    #[test]
    fn quotes_that_are_not_doubled_are_kept() {
        let table = b"filename,ground_truth\na,\"he said \"yes\" \"\nb,\"yes\" he said\n";
        let wanted =
            "filename,ground_truth\na,\"he said \"\"yes\"\" \"\nb,\"\"\"yes\"\" he said\"\n";
        assert_eq!(read(table, Format::Csv, Use::Samples), wanted);
    }

    #[test]
    fn what_spreadsheets_save_is_read() {
        let wanted = "filename,ground_truth,Speaker\n\"a, b.wav\",नमस्ते,s1\n";
        let semicolons = "Audio File;Transcript;Speaker;;\r\n\"a, b.wav\";नमस्ते;s1;;\r\n";
        let tabs = semicolons.replace(';', "\t");
        assert_eq!(
            read(semicolons.as_bytes(), Format::Csv, Use::Samples),
            wanted
        );
        assert_eq!(read(tabs.as_bytes(), Format::Csv, Use::Samples), wanted);
        for (mark, bytes) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let mut wide = mark.to_vec();
            wide.extend(tabs.encode_utf16().flat_map(bytes));
            assert_eq!(read(&wide, Format::Csv, Use::Samples), wanted);
        }
        // A sentence that begins with a quote must not swallow the rows behind it.
        let plain = "filename\tground_truth\na\t\"Hm, she said\nb\tc\n";
        assert_eq!(
            read(plain.as_bytes(), Format::Tsv, Use::Samples),
            "filename,ground_truth\na,\"\"\"Hm, she said\"\nb,c\n"
        );
    }

    #[test]
    fn records_keep_their_lines() {
        let long = "y".repeat(MAX_LINE_BYTES + 1);
        let table = format!("\nfile;text\n\na;\"b\nc\"\n\n{long}\nd;e;f\n;g\n");
        let text = read(table.as_bytes(), Format::Csv, Use::Samples);
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        assert_eq!(
            text,
            format!("\nfilename,ground_truth\n\na,\"b\nc\"\n\n{long}\nd,e,f\n\"\",g\n")
        );
    }

    #[test]
    fn a_quote_that_takes_rows_along_is_left_for_the_reader_of_manifests_to_tell() {
        for rows in ["a,\"b\nc,d\ne,\"f\ng,h\n", "a,\"b\nc,d\n"] {
            let table = format!("filename,text\n{rows}");
            let text = read(table.as_bytes(), Format::Csv, Use::Samples);
            assert_eq!(text, "filename,ground_truth\n,\"", "{rows}");
        }
    }

    #[test]
    fn names_of_the_contract_go_before_those_of_others() {
        for (header, of, wanted) in [
            ("File ID;text", Use::Samples, "file_id,ground_truth"),
            (
                "path;filename;ref;lang",
                Use::Samples,
                "path,filename,ground_truth,language",
            ),
            (
                "file_name;sentence;text",
                Use::Samples,
                "filename,ground_truth,text",
            ),
            (
                "clip;pred",
                Use::Transcripts { model: "mine" },
                "filename,hypothesis",
            ),
            (
                "File Name;Transcript;Error",
                Use::Transcripts { model: "mine" },
                "filename,hypothesis,error",
            ),
            (
                "id;TEXT",
                Use::Transcripts { model: "mine" },
                "filename,hypothesis",
            ),
            (
                "file_name;text;Mine",
                Use::Transcripts { model: "mine" },
                "filename,text,hypothesis",
            ),
            (
                "id;prediction;mine",
                Use::Transcripts { model: "mine" },
                "filename,hypothesis,mine",
            ),
            (
                "path;sentence",
                Use::Transcripts { model: "mine" },
                "filename,sentence",
            ),
            (
                "sample_id;audio;text",
                Use::Transcripts { model: "mine" },
                "sample_id,audio,text",
            ),
        ] {
            let table = format!("{header}\na;b;c;d");
            let text = read(table.as_bytes(), Format::Csv, of);
            assert_eq!(text.lines().next(), Some(wanted), "{header}");
        }
    }
}
