//! What a file is, by its first 64 KiB.

mod keys;

pub(super) use keys::first_keys;

use super::decode::{Encoding, decode_whole, encoding_of, lines};
use super::files::{self, Files};
use super::format::Format;
use super::office::{is_office, is_workbook};
use super::paths::has_audio_extension;
use super::problem::{Code, Problem};
use super::table::{Columns, Records, Role, dialect, key};
use super::transcripts::subtitles::{is_srt, is_timed};
use super::transcripts::words::trn_id;

/// What to do about a set of `datasets` in Arrow.
pub(super) const OF_ARROW: &str = "write it as Parquet: ds = datasets.load_from_disk(FOLDER); \
                                   ds.to_parquet(\"data.parquet\")";
/// Lines looked at.
const LOOKED_AT: usize = 50;
/// Words of a line that are looked at: one more than a line of CTM has.
const MOST_WORDS: usize = 7;

/// Tells what a file is.
///
/// # Errors
/// What is known and not read (archives, subtitles of other kinds), what is no text,
/// and what is nothing known.
pub fn format_of(files: &dyn Files, name: &str) -> Result<Format, Problem> {
    let mut head = files::head(files, name);
    if head.is_empty() || (name.ends_with(".gz") && head.len() < 64 * 1024) {
        // Little or nothing comes out of a packed file that is cut short, and nothing of
        // one that can't be read: that is told, and not what the rest looks like.
        files::bytes(files, name)?;
    }
    if let Some(found) = by_bytes(&head, name) {
        return found;
    }
    let whole = head.len() < 64 * 1024;
    head.truncate(cut(&head).len());
    let decoded = match decode_whole(head) {
        Ok(decoded) => decoded,
        Err(error) => return Err(error.of(name)),
    };
    let text = decoded.text.as_str();
    if is_rttm(text) {
        let problem = Problem::new(
            Code::Unsupported,
            "is RTTM: it tells who speaks when, and has no text",
        );
        return Err(problem.file(name).hint("name what was said or heard"));
    }
    by_text(text, whole, name).ok_or_else(|| {
        Problem::new(Code::UnknownFormat, "is nothing that is known")
            .file(name)
            .hint("say what it is with --format")
    })
}

/// What a text is that was read as a whole: what [`format_of`] tells of its file. `None`
/// where its bytes say what it is, or nothing does.
pub(super) fn of_text(text: &str, name: &str) -> Option<Format> {
    let bytes = text.as_bytes();
    let head = bytes.get(..64 * 1024).unwrap_or(bytes);
    if by_bytes(head, name).is_some() {
        return None;
    }
    let whole = head.len() < 64 * 1024;
    let text = text.get(..cut(head).len())?;
    if is_rttm(text) {
        return None;
    }
    by_text(text, whole, name)
}

/// Whether lines tell who speaks when: `SPEAKER file channel start duration …`.
fn is_rttm(text: &str) -> bool {
    let is_turn = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let mut times = words.clone().skip(3).take(2);
        let is_number = |word: &str| word.parse::<f64>().is_ok();
        words.next() == Some("SPEAKER") && times.clone().count() == 2 && times.all(is_number)
    };
    let filled = text.lines().filter(|line| !line.trim().is_empty());
    let mut content = filled
        .filter(|line| !line.starts_with(";;"))
        .take(LOOKED_AT)
        .peekable();
    content.peek().is_some() && content.all(is_turn)
}

/// Bytes up to the last line end, so that no character is cut.
pub(super) fn cut(head: &[u8]) -> &[u8] {
    if head.len() < 64 * 1024 {
        return head;
    }
    let is_wide = encoding_of(head) != Encoding::Utf8;
    let end = match head.iter().rposition(|b| *b == b'\n') {
        // Each character has two bytes, and others than line ends have that one as well.
        Some(at) if is_wide => at - at % 2 + 2,
        Some(at) => at + 1,
        None if is_wide => head.len(),
        None => {
            let bytes = std::str::from_utf8(head);
            bytes.map_or_else(|error| error.valid_up_to(), str::len)
        }
    };
    head.get(..end).unwrap_or(head)
}

fn by_bytes(head: &[u8], name: &str) -> Option<Result<Format, Problem>> {
    let refuse = |message: &str, hint: &str| {
        let problem = Problem::new(Code::Unsupported, message).file(name);
        Some(Err(problem.hint(hint)))
    };
    if head.starts_with(b"PAR1") {
        return Some(Ok(Format::Parquet));
    }
    if head.starts_with(b"PK\x03\x04") {
        if is_workbook(head, name) {
            return Some(Ok(Format::Xlsx));
        }
        if is_office(head) {
            return refuse(
                "is a document of an office program that is not read",
                "save the table as .xlsx or as CSV UTF-8",
            );
        }
        return refuse("is a ZIP archive", "unpack it and name the folder");
    }
    if head.get(257..262) == Some(b"ustar") {
        return refuse(
            "is a TAR archive (WebDataset, tarred NeMo sets and lhotse Shar are such)",
            "unpack it and name the folder",
        );
    }
    // A file of Arrow, or its stream, which is what `datasets` writes.
    if head.starts_with(b"ARROW1") || head.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
        return refuse("is Arrow IPC", OF_ARROW);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return refuse(
            "is an old Excel sheet (.xls), or one with a password",
            "save it as CSV UTF-8",
        );
    }
    if head.is_empty() {
        let problem = Problem::new(Code::Nothing, "is empty").file(name);
        return Some(Err(problem));
    }
    None
}

/// The long form and the short one of Praat begin with the same two texts.
fn is_text_grid(text: &str) -> bool {
    let mut filled = text.lines().filter(|line| !line.trim().is_empty());
    let kind = filled.next().unwrap_or_default();
    let class = filled.next().unwrap_or_default();
    kind.contains("\"ooTextFile\"") && class.contains("\"TextGrid\"")
}

/// Id and text of a line `( id "text" )`, as `txt.done.data` of Festival has them.
pub(super) fn prompt(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim().strip_prefix('(')?.strip_suffix(')')?.trim();
    let (id, text) = inner.split_once([' ', '\t'])?;
    let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some((id, text))
}

fn by_text(text: &str, whole: bool, name: &str) -> Option<Format> {
    let begins = text.trim_start();
    if begins.starts_with("WEBVTT") {
        return Some(Format::Vtt);
    }
    if begins.starts_with('{') || begins.starts_with('[') {
        // `[NOISE] words (id)` and `{ a / b } (id)` are no JSON.
        let is_json = begins.get(1..).unwrap_or_default().trim_start();
        if is_json.starts_with(['"', '{', ']', '}', '\u{201c}']) {
            return Some(keys::format_of(begins, whole, name));
        }
    }
    if begins.starts_with('<') && begins.contains("<ANNOTATION_DOCUMENT") {
        return Some(Format::Elan);
    }
    if is_text_grid(begins) {
        return Some(Format::TextGrid);
    }
    let all: Vec<&str> = lines(text).map(|(_, line)| line).collect();
    let filled: Vec<&str> = all
        .iter()
        .copied()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if is_srt(&filled) {
        return Some(Format::Srt);
    }
    let content: Vec<&str> = filled
        .iter()
        .copied()
        .filter(|line| !line.starts_with(";;"))
        .collect();
    let seen = content.get(..content.len().min(400)).unwrap_or_default();
    if seen.is_empty() {
        return None;
    }
    // So are such lines.
    let mut others = seen.iter().filter(|line| prompt(line).is_none());
    if others.nth(seen.len() / 20).is_none() {
        return Some(Format::Festival);
    }
    // A line that has lost its id is told when the file is read.
    let least = if name.ends_with(".trn") { 2 } else { 20 };
    let mut without = seen.iter().filter(|line| trn_id(line).is_none());
    if without.nth(seen.len() / least).is_none() {
        return Some(Format::Trn);
    }
    // Whether 19 of 20 lines are so; looked at no longer than that is open.
    let share = |test: &dyn Fn(&[&str]) -> bool| {
        let mut words = Vec::new();
        let mut others = seen.iter().filter(|line| {
            words.clear();
            words.extend(line.split_whitespace().take(MOST_WORDS));
            !test(&words)
        });
        others.nth(seen.len() / 20).is_none()
    };
    let number = |words: &[&str], at: usize| {
        words
            .get(at)
            .is_some_and(|word| word.parse::<f64>().is_ok())
    };
    if share(&|words| words.len() >= 5 && number(words, 3) && number(words, 4)) {
        return Some(Format::Stm);
    }
    let is_ctm = |words: &[&str]| {
        (5..=6).contains(&words.len())
            && (number(words, 2) || words[2] == "*")
            && (number(words, 3) || words[3] == "*")
    };
    if share(&is_ctm) {
        return Some(Format::Ctm);
    }
    tabular(text, name, seen)
}

fn tabular(text: &str, name: &str, seen: &[&str]) -> Option<Format> {
    let cells = |line: &str| -> Vec<String> { line.split('\t').map(str::to_owned).collect() };
    let first = cells(seen.first()?);
    if first.len() == 1
        && first[0].starts_with(['/', '~', '.'])
        && seen.len() > 1
        && seen[1..].iter().all(|line| {
            let row = cells(line);
            row.len() == 2 && row[1].trim().parse::<u64>().is_ok()
        })
    {
        return Some(Format::Fairseq);
    }
    let is_fleurs = |line: &&str| {
        let row = cells(line);
        row.len() == 7
            && row[5].trim().parse::<u64>().is_ok()
            && matches!(row[6].trim(), "MALE" | "FEMALE" | "OTHER")
    };
    if seen.iter().all(is_fleurs) {
        return Some(Format::Fleurs);
    }
    let lower: Vec<String> = first.iter().map(|cell| key(cell)).collect();
    let is_aud = name.ends_with(".aud") && seen.iter().all(|row| is_timed(row));
    if is_aud || lower == ["start", "end", "text"] {
        return Some(Format::WhisperTsv);
    }
    let dialect = dialect(text, b',');
    let header = match Records::new(text, dialect).next()? {
        Ok(header) => header,
        // What is wrong with its first line is told when it is read.
        Err(_) => return name.ends_with(".csv").then_some(Format::Table),
    };
    let names = header.cells.iter().map(|cell| cell.trim().to_owned());
    let columns = Columns::new(names.collect());
    if dialect.delimiter == b'|' {
        if columns.named("token").is_some() && columns.named("speaker").is_some() {
            return Some(Format::RevNlp);
        }
        // A variant of a reference has a bar as well, and blanks or braces before it.
        let is_id = |line: &&str| {
            let id = line.split('|').next().unwrap_or_default();
            !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || c == '{')
        };
        let named = seen.iter().all(is_id);
        if named && !columns.is_header() && matches!(header.cells.len(), 2 | 3) {
            return Some(Format::LjSpeech);
        }
    }
    if header.cells.len() > 1 && columns.is_header() {
        return Some(of_header(&columns));
    }
    if columns.is_header() && columns.names().len() == 1 && seen.len() > 1 {
        // One column: a list of files.
        let is_list = columns.first(Role::Audio).is_some();
        if is_list {
            return Some(Format::Table);
        }
    }
    let named = |line: &&str| {
        let row = cells(line);
        row.len() == 2 && has_audio_extension(row[0].trim())
    };
    if seen.iter().take(LOOKED_AT).all(named) {
        return Some(Format::Transcriptions);
    }
    Some(Format::Lines)
}

/// The text that a file begins with, if it is one.
pub(super) fn head(files: &dyn Files, name: &str) -> Option<String> {
    let mut head = files::head(files, name);
    head.truncate(cut(&head).len());
    let decoded = decode_whole(head).ok()?;
    Some(decoded.text.into_string())
}

/// Whether a file of lines has rows of as many cells, of a table whose columns nobody has
/// named. Two with a TAB between are an id and its text; commas stand in texts as well, where
/// a file is no CSV.
pub(super) fn is_grid(files: &dyn Files, name: &str) -> bool {
    let Some(text) = head(files, name) else {
        return false;
    };
    let dialect = dialect(&text, b',');
    let mut rows = Records::new(&text, dialect).flatten().take(LOOKED_AT);
    let Some(header) = rows.next() else {
        return false;
    };
    let width = header.cells.len();
    let is_named = match dialect.delimiter {
        b'\t' => {
            let first = header.cells.first();
            let has_blanks = first.is_some_and(|id| id.trim().contains(char::is_whitespace));
            width > 2 || (width == 2 && has_blanks)
        }
        _ => {
            let name = name.strip_suffix(".gz").unwrap_or(name);
            width > 1 && name.to_ascii_lowercase().ends_with(".csv")
        }
    };
    let mut rows = rows.map(|row| row.cells.len() == width).peekable();
    // The last one may be cut.
    is_named && rows.peek().is_some() && rows.filter(|is_even| !is_even).count() <= 1
}

fn of_header(columns: &Columns) -> Format {
    let has = |name: &str| columns.named(name).is_some();
    if has("wav_filename") {
        Format::DeepSpeech
    } else if has("client_id") && (has("path") || has("audio_file")) {
        Format::CommonVoice
    } else if has("annotation_id") {
        Format::LabelStudio
    } else {
        Format::Table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::InMemory;

    fn told(name: &str, bytes: &[u8]) -> Result<Format, Code> {
        let files = InMemory::new([(name, bytes)]);
        format_of(&files, name).map_err(|problem| problem.code)
    }

    #[test]
    fn files_are_told_apart_by_what_they_hold() {
        for (text, format) in [
            ("WEBVTT\n\n00:00.100 --> 00:02.300\nx\n", Format::Vtt),
            ("1\n00:00:00,100 --> 00:00:02,300\nx\n", Format::Srt),
            ("{ uh / @ } ठीक है (s1-002)\n (s1-003)\n", Format::Trn),
            ("( u_1 \" ठीक है \" )\n( u_2 \"x (y)\" )\n", Format::Festival),
            (";; x\ncall1 A spk1 0.10 2.35 <o,F> नमस्ते जी\n", Format::Stm),
            (
                "call1 A 0.10 0.32 नमस्ते 0.98\ncall1 A 0.45 0.20 जी\n",
                Format::Ctm,
            ),
            ("/data/valid\na/1.wav\t89280\n", Format::Fairseq),
            ("1\ta.wav\tRaw.\traw\tr a w |\t100\tMALE\n", Format::Fleurs),
            (
                "LJ1|Dr. Rao came.|Doctor Rao came.\nLJ2|a|b\n",
                Format::LjSpeech,
            ),
            (
                "token|speaker|ts|endTs|punctuation|case|tags|wer_tags\na|1|||||||\n",
                Format::RevNlp,
            ),
            ("start\tend\ttext\n0\t100\tx\n", Format::WhisperTsv),
            (
                "wav_filename,wav_filesize,transcript\n1.wav,0,x\n",
                Format::DeepSpeech,
            ),
            (
                "client_id\tpath\tsentence\nx\ty.mp3\tz\n",
                Format::CommonVoice,
            ),
            ("file_name,text\n1.wav,big cat\n", Format::Table),
            ("8444-594-f.m4a\tमुझे पानी\n", Format::Transcriptions),
            ("घर जाओ\nठीक है\n", Format::Lines),
            ("{दस|10} रुपये\nमैं {घर|घऱ} गया\n", Format::Lines),
            ("मैं {घर|घऱ} गया\n{दस|10} रुपये\n", Format::Lines),
            (
                "{\"audio_filepath\": \"a.wav\", \"duration\": 3.2, \"text\": \"x\"}\n",
                Format::Nemo,
            ),
            (
                "[{\"session_id\": \"c\", \"words\": \"x\"}]",
                Format::SegLst,
            ),
            (
                "[{\"id\": 7, \"data\": {}, \"annotations\": []}]",
                Format::LabelStudio,
            ),
            (
                "{\"id\": \"r\", \"sources\": [], \"sampling_rate\": 16000}",
                Format::Lhotse,
            ),
            ("{\"text\": \" x\", \"segments\": []}", Format::Service),
            (
                "<?xml version=\"1.0\"?>\n<ANNOTATION_DOCUMENT>\n",
                Format::Elan,
            ),
            (
                "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n",
                Format::TextGrid,
            ),
            ("{\"id\": \"a\", \"hypothesis\": \"x\"}\n", Format::Jsonl),
        ] {
            assert_eq!(told("x", text.as_bytes()), Ok(format), "{text}");
        }
        let rows = "0.0\t1.5\tx\n1.5\t2.0\ty\n".as_bytes();
        assert_eq!(told("x.aud", rows), Ok(Format::WhisperTsv));
        let mut tar = vec![0; 600];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(told("x.tar", &tar), Err(Code::Unsupported));
        assert_eq!(told("x.zip", b"PK\x03\x04"), Err(Code::Unsupported));
        assert_eq!(told("x.XLSX", b"PK\x03\x04"), Ok(Format::Xlsx));
        let mut sheet = b"PK\x03\x04".to_vec();
        sheet.resize(30, 0);
        sheet.extend(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet");
        let files = InMemory::new([("x.ods", sheet)]);
        let told_of = format_of(&files, "x.ods").unwrap_err();
        assert!(told_of.message.contains("office"), "{told_of}");
        assert_eq!(
            told("x", b"PK\x03\x04 [Content_Types].xml PK xl/workbook.xml"),
            Ok(Format::Xlsx)
        );
        assert_eq!(told("x", b"\x00\x01\x02"), Err(Code::Undecodable));
        assert_eq!(told("x", b""), Err(Code::Nothing));
        assert_eq!(
            told("x.rttm", b"SPEAKER c 1 0.1 0.2 <NA>\n"),
            Err(Code::Unsupported)
        );
    }

    #[test]
    fn long_texts_of_two_bytes_a_character_are_cut_between_characters() {
        // A line end of one byte is a half of many letters: ऊ, and all of Gurmukhi.
        for line in ["लेखक ऊपर घर पर है\n", "ਘਰ ਊ ਹੁਣ ਜਾਓ\n"]
        {
            let text = line.repeat(4_000);
            let wide = |to: fn(u16) -> [u8; 2]| -> Vec<u8> {
                let units = text.encode_utf16();
                units.flat_map(to).collect()
            };
            let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
            let marked = |mark: [u8; 2], bytes: &[u8]| [&mark[..], bytes].concat();
            let with_marks = [marked([0xff, 0xfe], &little), marked([0xfe, 0xff], &big)];
            for bytes in [&little, &big].into_iter().chain(&with_marks) {
                assert_eq!(told("x.txt", bytes), Ok(Format::Lines), "{line}");
            }
        }
    }
}
