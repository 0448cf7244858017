//! Reading landed output line by line, with a bound on each line.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// Longest line that is kept, in bytes. A transcript is far below; anything
/// longer is a fault of the provider, and its item fails.
pub(crate) const MAX_LINE: usize = 16 * 1024 * 1024;

/// A line, or what is known of one that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its bytes, without the line break.
    Whole(Vec<u8>),
    /// It was longer than the bound and was skipped.
    TooLong,
}

/// The next line; `None` at the end.
pub(crate) async fn next<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    max: usize,
) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut any = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            break;
        }
        any = true;
        let (part, used, ends) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (available.get(..at).unwrap_or_default(), at + 1, true),
            None => (available, available.len(), false),
        };
        if line.len() + part.len() > max {
            too_long = true;
            line = Vec::new();
        } else if !too_long {
            line.extend_from_slice(part);
        }
        reader.consume(used);
        if ends {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => None,
        (true, true) => Some(Line::TooLong),
        (true, false) => Some(Line::Whole(line)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_bounded_and_none_is_lost() {
        let text: &[u8] = b"one\n\ntoo long here\nlast";
        let mut reader = tokio::io::BufReader::with_capacity(3, text);
        let mut lines = Vec::new();
        while let Some(line) = next(&mut reader, 5).await.unwrap() {
            lines.push(line);
        }
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(
            lines,
            [whole("one"), whole(""), Line::TooLong, whole("last")]
        );
    }
}
