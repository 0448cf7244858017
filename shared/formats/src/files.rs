//! The files of a source, as the machine or a request has them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};

use super::decode::{Decoded, decode_text, decode_whole};
use super::problem::{Code, Problem};
use super::text::Whole;

/// Most bytes of a file that is read at once: 64 MiB, more than 100,000 rows.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// Most files of a folder that are looked at.
pub const MAX_FILES: usize = 200_000;
/// Most rows of a table or of JSON, which are in memory together: fifteen times what a
/// dataset takes. Their cells and texts are counted beside, so that no file takes more than 256 MiB.
pub const MAX_ROWS: usize = 150_000;
/// Most lines of a list: of plain lines, of TRN, of words with times.
pub const MAX_LINES: usize = 500_000;

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Larger than was asked for.
    TooLarge,
    /// The machine's reason.
    Failed(String),
}

/// Bytes that can be read from any place on.
pub trait Random: Read + Seek + Send {}

impl<T: Read + Seek + Send> Random for T {}

/// A folder, or one file in it. Nothing here writes, follows links out of the folder or
/// runs anything.
pub trait Files {
    /// Names of all files, relative to the folder, with `/`, sorted.
    fn names(&self) -> &[String];

    /// A file's bytes, at most `most` of them.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] if there are more, or what the machine says.
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError>;

    /// The first bytes of a file, at most `most` of them.
    ///
    /// # Errors
    /// What the machine says.
    fn head(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError>;

    /// A file that is UTF-8 from its first byte to its last, if that can be told while it
    /// is read and it has at most `most` bytes. `None` says nothing: it is then read by
    /// [`read`](Self::read), which tells what is wrong.
    fn utf8(&self, _name: &str, _most: usize) -> Option<Whole> {
        None
    }

    /// A file that is not read as a whole and may be larger than others.
    ///
    /// # Errors
    /// What the machine says; where nothing else is known, as [`read`](Self::read) of
    /// [`MAX_FILE_BYTES`].
    fn seekable(&self, name: &str) -> Result<Box<dyn Random>, ReadError> {
        Ok(Box::new(Cursor::new(self.read(name, MAX_FILE_BYTES)?)))
    }

    /// Where the folder is, if it is anywhere: absolute, with `/`.
    fn place(&self) -> Option<&str> {
        None
    }

    /// The working directory, likewise.
    fn working(&self) -> Option<&str> {
        None
    }

    /// Whether there is a file of this absolute path, which is not in the folder. Only
    /// whether: it is not read.
    fn has_outside(&self, _path: &str) -> bool {
        false
    }

    /// What a file of this absolute path is called in the folder, where links lead into it.
    fn through_links(&self, _path: &str) -> Option<String> {
        None
    }
}

/// Files that are in memory already.
#[derive(Debug, Clone, Default)]
pub struct InMemory {
    names: Vec<String>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl InMemory {
    /// Files by name.
    pub fn new<N: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (N, B)>) -> Self {
        let contents: BTreeMap<String, Vec<u8>> = files
            .into_iter()
            .map(|(name, bytes)| (name.into(), bytes.into()))
            .collect();
        Self {
            names: contents.keys().cloned().collect(),
            contents,
        }
    }
}

impl Files for InMemory {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        match self.contents.get(name) {
            Some(bytes) if bytes.len() > most => Err(ReadError::TooLarge),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(ReadError::Failed("there is no such file".to_owned())),
        }
    }

    fn head(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        match self.contents.get(name) {
            Some(bytes) => Ok(bytes.get(..most).unwrap_or(bytes).to_vec()),
            None => Err(ReadError::Failed("there is no such file".to_owned())),
        }
    }

    fn utf8(&self, name: &str, most: usize) -> Option<Whole> {
        let bytes = self.contents.get(name)?;
        let text = std::str::from_utf8(bytes).ok()?;
        (text.len() <= most).then(|| text.to_owned().into())
    }
}

/// Whether a name is of no use to anybody: what systems and browsers leave behind.
#[must_use]
pub fn is_litter(name: &str) -> bool {
    name.split('/').any(|part| {
        part.starts_with("._") || matches!(part, ".DS_Store" | "__MACOSX" | "Thumbs.db" | ".git")
    }) || name.ends_with(".part")
}

/// The folder part of a name, without its last `/`; empty for the top.
#[must_use]
pub fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a name.
#[must_use]
pub fn base(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

/// The last part of a name without its extension.
#[must_use]
pub fn stem(name: &str) -> &str {
    let base = base(name);
    match base.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => base,
    }
}

/// What the recording of a file of text or of a result is called: `u1` for `a/u1.txt`, and for
/// the `u1.wav.json` of whisper.cpp.
#[must_use]
pub fn recording(name: &str) -> &str {
    super::paths::without_audio(stem(name))
}

/// A name beside another.
#[must_use]
pub fn beside(name: &str, other: &str) -> String {
    match parent(name) {
        "" => other.to_owned(),
        folder => format!("{folder}/{other}"),
    }
}

fn of_reading(error: ReadError, name: &str) -> Problem {
    match error {
        ReadError::TooLarge => Problem::new(Code::TooLarge, "is larger than 64 MiB")
            .file(name)
            .hint("take a part of it"),
        ReadError::Failed(reason) => Problem::new(Code::Unreadable, reason).file(name),
    }
}

/// A file's bytes, unpacked if it is gzip.
///
/// # Errors
/// It can't be read, is larger than [`MAX_FILE_BYTES`], packed or not, or is gzip that is
/// cut short or damaged.
pub fn bytes(files: &dyn Files, name: &str) -> Result<Vec<u8>, Problem> {
    let packed = files
        .read(name, MAX_FILE_BYTES)
        .map_err(|error| of_reading(error, name))?;
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    unpacked(&packed, MAX_FILE_BYTES, name)
}

fn unpacked(packed: &[u8], most: usize, name: &str) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    let limit = most as u64 + 1;
    flate2::read::MultiGzDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut out)
        .map_err(|error| {
            let message = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    "is gzip that is cut short: its end is missing"
                }
                _ => "is gzip that is damaged",
            };
            let problem = Problem::new(Code::Malformed, message).file(name);
            problem.hint("copy or download it again")
        })?;
    if out.len() > most {
        return Err(of_reading(ReadError::TooLarge, name));
    }
    Ok(out)
}

/// A file as text.
///
/// # Errors
/// As [`bytes`](fn@bytes), or it is no text.
pub fn text(files: &dyn Files, name: &str) -> Result<Decoded, Problem> {
    let decoded = match files.utf8(name, MAX_FILE_BYTES) {
        Some(text) => decode_text(text),
        None => decode_whole(bytes(files, name)?),
    };
    decoded.map_err(|error| error.of(name))
}

/// Bytes that tell what a file is.
const HEAD: usize = 64 * 1024;

/// The beginning of a file, unpacked if it is gzip; empty if it can't be read.
#[must_use]
pub fn head(files: &dyn Files, name: &str) -> Vec<u8> {
    let Ok(bytes) = files.head(name, HEAD) else {
        return Vec::new();
    };
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut out = Vec::new();
    // The packed bytes end early: what came out until then is what is wanted.
    let mut reader = flate2::read::GzDecoder::new(bytes.as_slice()).take(HEAD as u64);
    let mut piece = [0_u8; 4096];
    while let Ok(read @ 1..) = reader.read(&mut piece) {
        out.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn gzip_is_unpacked_and_bounded() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&[b'a'; 100_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpacked(&packed, 100_000, "a").unwrap().len(), 100_000);
        let code = |most| unpacked(&packed, most, "a").unwrap_err().code;
        assert_eq!(code(99_999), Code::TooLarge);
        let cut = unpacked(&packed[..packed.len() / 2], 100_000, "a").unwrap_err();
        assert!(cut.message.contains("cut short"), "{cut}");
        // So short that nothing comes out of it.
        let files = InMemory::new([("short.csv.gz", &packed[..12])]);
        let short = crate::detect::format_of(&files, "short.csv.gz").unwrap_err();
        assert!(short.message.contains("cut short"), "{short}");
        let mut damaged = packed.clone();
        damaged[30] ^= 0xff;
        let damaged = unpacked(&damaged, 100_000, "a").unwrap_err();
        assert_eq!(damaged.code, Code::Malformed);
        let files = InMemory::new([("a.gz", packed)]);
        assert_eq!(head(&files, "a.gz").len(), HEAD);
        assert_eq!(text(&files, "a.gz").unwrap().text.len(), 100_000);
        assert_eq!(text(&files, "b").unwrap_err().code, Code::Unreadable);
    }

    #[test]
    fn names_have_parts() {
        assert_eq!(
            (parent("a/b/c.d.wav"), base("a/b/c.d.wav")),
            ("a/b", "c.d.wav")
        );
        assert_eq!((stem("a/c.d.wav"), stem(".hidden")), ("c.d", ".hidden"));
        assert_eq!(
            ["a/u1.wav.json", "u1.json", "u.1.json", "a/.wav"].map(recording),
            ["u1", "u1", "u.1", ".wav"]
        );
        assert_eq!(beside("a/x.tsv", "y.wrd"), "a/y.wrd");
        assert!(is_litter("__MACOSX/a.wav") && is_litter("x/._a.wav") && !is_litter("x/a.wav"));
    }
}
