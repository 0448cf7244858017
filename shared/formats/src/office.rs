//! Files of office programs: they are archives, and are told from others by what they begin
//! with.

/// Texts, sheets and slides of office programs are archives too.
pub(crate) fn is_office(head: &[u8]) -> bool {
    let first = head.get(30..).unwrap_or_default();
    first.starts_with(b"mimetypeapplication/vnd.oasis.")
        || first.starts_with(b"[Content_Types].xml")
        || first.starts_with(b"_rels/.rels")
}

/// A sheet of Excel is an archive too: told by its name, or by what it begins with.
pub(crate) fn is_workbook(head: &[u8], name: &str) -> bool {
    let name = name.to_lowercase();
    let named = name.ends_with(".xlsx") || name.ends_with(".xlsm");
    named || (has(head, b"[Content_Types].xml") && has(head, b"xl/"))
}

/// Whether bytes stand anywhere in the beginning of a file.
pub(crate) fn has(head: &[u8], wanted: &[u8]) -> bool {
    head.windows(wanted.len()).any(|bytes| bytes == wanted)
}
