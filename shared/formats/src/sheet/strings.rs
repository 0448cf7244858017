//! Texts of a workbook: those that cells share, and the escapes in them.

use crate::problem::Problem;
use crate::xml::{Piece, Pieces};

/// Texts that cells refer to by their place in the list.
pub(super) fn shared(text: &str, part: &str) -> Result<Vec<String>, Problem> {
    let mut all = Vec::new();
    let mut pieces = Pieces::new(text, part);
    loop {
        match pieces.next()? {
            Piece::Begin(element) if element.is("si") => {
                all.push(rich(&mut pieces, "si")?);
            }
            Piece::Over => return Ok(all),
            _ => {}
        }
    }
}

/// The text of an element up to its end: all runs of it, but not how it is pronounced.
pub(super) fn rich(pieces: &mut Pieces<'_>, end: &str) -> Result<String, Problem> {
    let mut out = String::new();
    let (mut inside, mut pronounced) = (false, 0_usize);
    loop {
        match pieces.next()? {
            Piece::Begin(element) if element.is("rPh") => pronounced += 1,
            Piece::Begin(element) => inside = element.is("t"),
            Piece::Text(text) if inside && pronounced == 0 => out += &text,
            Piece::Text(_) => {}
            Piece::End(name) if name == end => return Ok(unescaped(&out)),
            Piece::End(name) => {
                inside = false;
                pronounced -= usize::from(name == "rPh" && pronounced > 0);
            }
            Piece::Over => return Ok(unescaped(&out)),
        }
    }
}

/// Characters that XML does not have, or would change, are written as `_x000D_`.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        out += before;
        let digits = escape.get(2..6);
        let is_closed = escape.as_bytes().get(6) == Some(&b'_');
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.filter(|_| is_closed).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = escape.get(7..).unwrap_or_default();
            }
            None => {
                out += "_x";
                rest = escape.get(2..).unwrap_or_default();
            }
        }
    }
    out += rest;
    out.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_runs_without_their_pronunciation() {
        let xml = "<x:sst xmlns:x=\"u\"><x:si><x:t xml:space=\"preserve\"> a &amp; b&#x20;</x:t></x:si>\
                   <x:si><x:r><x:rPr/><x:t>नम</x:t></x:r><x:r><x:t>स्ते</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh></x:si>\
                   <x:si/><x:si><x:t>one_x000D_\ntwo _x0041 _xZZZZ_</x:t></x:si></x:sst>";
        let found = shared(xml, "s").unwrap();
        assert_eq!(found, [" a & b ", "नमस्ते", "", "one\ntwo _x0041 _xZZZZ_"]);
    }
}
