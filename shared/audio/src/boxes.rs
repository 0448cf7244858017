//! Boxes of the ISO base media file format: name, length, content.

/// A box: its name and where its content and the box end.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoxHeader {
    pub name: [u8; 4],
    pub body: u64,
    pub end: u64,
}

/// Interprets a box header. `None`: a size that no box has. `limit` is the end of a box of size 0,
/// which means "as far as it goes".
pub(super) fn parse_box(head: [u8; 8], long: [u8; 8], at: u64, limit: u64) -> Option<BoxHeader> {
    let [a, b, c, d, name @ ..] = head;
    let (header, end) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (8, limit),
        1 => (16, at.checked_add(u64::from_be_bytes(long))?),
        len => (8, at.checked_add(u64::from(len))?),
    };
    let body = at.checked_add(header)?;
    (end >= body).then_some(BoxHeader { name, body, end })
}

/// The boxes within `parent`, which is held in memory. Ends at the first one that does not fit.
pub(super) fn children(parent: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let head: [u8; 8] = parent.get(at..at.checked_add(8)?)?.try_into().ok()?;
        let long = parent
            .get(at + 8..at + 16)
            .and_then(|b| b.try_into().ok())
            .unwrap_or([0; 8]);
        let found = parse_box(head, long, at as u64, parent.len() as u64)?;
        let body = parent.get(found.body as usize..usize::try_from(found.end).ok()?)?;
        at = found.end as usize;
        Some((found.name, body))
    })
}

/// The content of the first box called `name` within `parent`.
pub(super) fn child<'a>(parent: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    children(parent)
        .find(|(found, _)| found == name)
        .map(|(_, body)| body)
}
