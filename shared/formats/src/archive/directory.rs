//! The directory at the end of an archive, also that of large ones (ZIP64).

use std::io::{Read, Seek, SeekFrom};

use super::names::{decoded, inside};
use crate::files::{MAX_FILES, is_litter};
use crate::problem::{Code, Problem};

/// Most files of an archive.
pub const MAX_ENTRIES: usize = MAX_FILES;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with `/`; inside the archive for sure.
    pub name: String,
    /// Its length, as the directory has it.
    pub size: u64,
    pub(super) packed: u64,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) header: u64,
}

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// The record at the end, its comment aside.
const END: usize = 22;
/// Most bytes of a directory: each entry has 46, a name and little more.
const MAX_DIRECTORY: u64 = 64 << 20;
/// A field whose value stands elsewhere.
const ELSEWHERE: u32 = u32::MAX;

/// Numbers one after the other, little end first; `None` behind the last.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.bytes(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}

pub(super) fn unreadable(error: &std::io::Error) -> Problem {
    Problem::new(Code::Unreadable, error.to_string())
}

fn broken(message: &str) -> Problem {
    let message = format!("is a ZIP archive, and broken: {message}");
    Problem::new(Code::Malformed, message)
}

/// Bytes from a place on.
fn at<R: Read + Seek>(from: &mut R, start: u64, count: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    from.seek(SeekFrom::Start(start))
        .and_then(|_| from.by_ref().take(count).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if (bytes.len() as u64) < count {
        return Err(broken("it ends too early"));
    }
    Ok(bytes)
}

/// Where the directory is.
struct Place {
    start: u64,
    length: u64,
    entries: u64,
    /// Bytes before the archive, by which all its places are moved.
    before: u64,
}

/// The files of an archive of this length, sorted by name; litter and links left out.
pub(super) fn read<R: Read + Seek>(from: &mut R, length: u64) -> Result<Vec<Entry>, Problem> {
    let place = place(from, length)?;
    if place.entries > MAX_ENTRIES as u64 {
        let message = format!(
            "holds {} files; at most {MAX_ENTRIES} are read",
            place.entries
        );
        return Err(Problem::new(Code::TooLarge, message));
    }
    if place.length > MAX_DIRECTORY {
        return Err(broken("its directory is too long"));
    }
    let start = place.start.saturating_add(place.before);
    let bytes = at(from, start, place.length)?;
    let mut fields = Fields(&bytes);
    let mut entries = Vec::new();
    for _ in 0..place.entries {
        let told = entry(&mut fields).ok_or_else(|| broken("its directory ends too early"))?;
        if let Some(mut entry) = told? {
            entry.header = entry.header.saturating_add(place.before);
            entries.push(entry);
        }
    }
    entries.sort_by(|a: &Entry, b| a.name.cmp(&b.name));
    let twice = entries
        .windows(2)
        .find(|pair| matches!(pair, [a, b] if a.name == b.name));
    if let Some([first, ..]) = twice {
        let message = "is in the archive twice";
        return Err(Problem::new(Code::Malformed, message).file(&first.name));
    }
    Ok(entries)
}

fn place<R: Read + Seek>(from: &mut R, length: u64) -> Result<Place, Problem> {
    let no_end = || broken("its directory is missing (was it copied to its end?)");
    let most = (END as u64 + u64::from(u16::MAX)).min(length);
    let tail = at(from, length - most, most)?;
    let ends_here = |start: &usize| {
        let bytes = tail.get(*start..).unwrap_or_default();
        let comment = bytes.get(END - 2..END).and_then(|two| two.try_into().ok());
        let comment = comment.map_or(usize::MAX, |two| usize::from(u16::from_le_bytes(two)));
        let behind = bytes.len().checked_sub(END);
        bytes.starts_with(b"PK\x05\x06") && behind.is_some_and(|most| comment <= most)
    };
    let mut starts = (0..=tail.len().saturating_sub(END)).rev();
    let end = starts.find(ends_here).ok_or_else(no_end)?;
    let mut fields = Fields(tail.get(end + 4..).unwrap_or_default());
    let parsed = (|| {
        let (disk, first) = (fields.u16()?, fields.u16()?);
        let (_, entries) = (fields.u16()?, fields.u16()?);
        Some((disk, first, entries, fields.u32()?, fields.u32()?))
    })();
    let (disk, first, entries, size, start) = parsed.ok_or_else(no_end)?;
    let end = length - most + end as u64;
    let is_large = entries == u16::MAX || size == ELSEWHERE || start == ELSEWHERE;
    if is_large && let Some(place) = large(from, end)? {
        return Ok(place);
    }
    if disk != 0 || first != 0 {
        let message = "is one part of a ZIP archive in several";
        return Err(Problem::new(Code::Unsupported, message).hint("join and unpack it"));
    }
    let (start, size) = (u64::from(start), u64::from(size));
    let before = end
        .checked_sub(start + size)
        .ok_or_else(|| broken("its directory is not where it should be"))?;
    Ok(Place {
        start,
        length: size,
        entries: u64::from(entries),
        before,
    })
}

/// The directory of a large archive; its end record is named before the usual one.
fn large<R: Read + Seek>(from: &mut R, end: u64) -> Result<Option<Place>, Problem> {
    let Some(locator) = end.checked_sub(20) else {
        return Ok(None);
    };
    let bytes = at(from, locator, 20)?;
    let mut fields = Fields(&bytes);
    if fields.bytes(4) != Some(b"PK\x06\x07") {
        return Ok(None);
    }
    let missing = || broken("its large directory is missing");
    let parsed = fields.u32().and_then(|_| fields.u64());
    let record = parsed.ok_or_else(missing)?;
    let bytes = at(from, record, 56)?;
    let mut fields = Fields(&bytes);
    if fields.bytes(4) != Some(b"PK\x06\x06") {
        return Err(missing());
    }
    let place = (|| {
        // Its length, versions, numbers of parts, entries of this part.
        fields.bytes(8 + 4 + 8 + 8)?;
        let entries = fields.u64()?;
        let length = fields.u64()?;
        let start = fields.u64()?;
        Some(Place {
            start,
            length,
            entries,
            before: 0,
        })
    })();
    place.map(Some).ok_or_else(missing)
}

/// One entry of the directory: `None` where it ends too early, `Some(Ok(None))` for what
/// is passed over.
fn entry(fields: &mut Fields<'_>) -> Option<Result<Option<Entry>, Problem>> {
    if fields.bytes(4)? != b"PK\x01\x02" {
        return Some(Err(broken("its directory is none")));
    }
    let made_by = fields.u16()?;
    let _needed = fields.u16()?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    let _time = fields.u32()?;
    let crc = fields.u32()?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let (of_name, of_extra, of_comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let (_disk, _internal) = (fields.u16()?, fields.u16()?);
    let external = fields.u32()?;
    let header = fields.u32()?;
    let raw = fields.bytes(usize::from(of_name))?;
    let extra = fields.bytes(usize::from(of_extra))?;
    fields.bytes(usize::from(of_comment))?;

    let written = unicode_path(extra, raw).map_or_else(|| decoded(raw), Into::into);
    let is_unix = made_by >> 8 == 3;
    let is_link = is_unix && external >> 16 & 0o17_0000 == 0o12_0000;
    if written.ends_with(['/', '\\']) || is_link || is_litter(&written.replace('\\', "/")) {
        return Some(Ok(None));
    }
    let Some(name) = inside(&written) else {
        let message = "holds a file whose name leads out of the archive";
        return Some(Err(Problem::new(Code::Malformed, message)));
    };
    let unsupported = |message: String| {
        let problem = Problem::new(Code::Unsupported, message).file(&name);
        Some(Err(problem.hint("unpack it and name the folder")))
    };
    if flags & 1 != 0 {
        return unsupported("is encrypted".to_owned());
    }
    if method != STORED && method != DEFLATED {
        return unsupported(format!("is packed by {}", called(method)));
    }
    let mut large = large_fields(extra);
    let mut number = |short: u32| match short {
        ELSEWHERE => large.as_mut().and_then(Fields::u64),
        short => Some(u64::from(short)),
    };
    // In this order they stand there.
    let (size, packed) = (number(size), number(packed));
    let (Some(size), Some(packed), Some(header)) = (size, packed, number(header)) else {
        return Some(Err(broken("a large file has no length")));
    };
    Some(Ok(Some(Entry {
        name,
        size,
        packed,
        method,
        crc,
        header,
    })))
}

fn called(method: u16) -> String {
    let name = match method {
        1 => "Shrink",
        6 => "Implode",
        9 => "Deflate64 (Windows does so above 2 GB)",
        12 => "bzip2",
        14 => "LZMA",
        93 => "Zstandard",
        95 => "XZ",
        98 => "PPMd",
        _ => return format!("method {method}"),
    };
    name.to_owned()
}

/// An extra field by its number.
fn extra_field(extra: &[u8], wanted: u16) -> Option<Fields<'_>> {
    let mut fields = Fields(extra);
    loop {
        let (id, length) = (fields.u16()?, fields.u16()?);
        let content = fields.bytes(usize::from(length))?;
        if id == wanted {
            return Some(Fields(content));
        }
    }
}

fn large_fields(extra: &[u8]) -> Option<Fields<'_>> {
    extra_field(extra, 0x0001)
}

/// The name in UTF-8 that Info-ZIP writes beside the other one, if it is of that one.
fn unicode_path<'a>(extra: &'a [u8], raw: &[u8]) -> Option<&'a str> {
    let mut fields = extra_field(extra, 0x7075)?;
    let version = fields.bytes(1)?;
    let crc = fields.u32()?;
    let is_of_it = version == [1] && crc == crc32fast::hash(raw);
    std::str::from_utf8(fields.0).ok().filter(|_| is_of_it)
}

/// Where the content of an entry begins, whose own header is at `header`.
pub(super) fn content<R: Read + Seek>(from: &mut R, header: u64) -> Result<u64, Problem> {
    let bytes = at(from, header, 30)?;
    let mut fields = Fields(&bytes);
    let lengths = (|| {
        let is_header = fields.bytes(4)? == b"PK\x03\x04";
        fields.bytes(22)?;
        let lengths = (fields.u16()?, fields.u16()?);
        is_header.then_some(lengths)
    })();
    let (of_name, of_extra) = lengths.ok_or_else(|| broken("a file is not where it should be"))?;
    Ok(header
        .saturating_add(30)
        .saturating_add(u64::from(of_name))
        .saturating_add(u64::from(of_extra)))
}
