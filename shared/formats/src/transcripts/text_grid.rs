//! `TextGrid` of Praat, in its long and its short form.

use super::tiers::{Tier, transcript};
use crate::problem::{Code, Problem};

/// What counts in a file; Praat passes over everything else, so that the long form and the
/// short one are the same.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Flag,
}

struct Tokens<'a>(&'a str);

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let rest = self.0.trim_start();
            let first = rest.chars().next()?;
            match first {
                '"' => {
                    let (text, used) = quoted(rest);
                    self.0 = rest.get(used..).unwrap_or_default();
                    return Some(Token::Text(text));
                }
                '!' => {
                    self.0 = rest
                        .find('\n')
                        .and_then(|end| rest.get(end..))
                        .unwrap_or_default()
                }
                _ => {
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    let (word, behind) = rest.split_at(end);
                    self.0 = behind;
                    if first == '<' && word.ends_with('>') {
                        return Some(Token::Flag);
                    }
                    let is_number = first.is_ascii_digit() || matches!(first, '-' | '+');
                    if let Some(number) = word.parse().ok().filter(|_| is_number) {
                        return Some(Token::Number(number));
                    }
                }
            }
        }
    }
}

/// The text in quotes that `rest` begins with, and how many bytes it takes; a quote in it
/// is doubled.
fn quoted(rest: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            text.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
            text.push('"');
            chars.next();
        } else {
            return (text, at + 1);
        }
    }
    (text, rest.len())
}

/// The transcript in a file, and what is to be told of it.
pub(super) fn text_of(
    text: &str,
    asked: Option<&str>,
    file: &str,
) -> Result<(String, Option<String>), Problem> {
    let tiers = tiers(text).ok_or_else(|| {
        let message = "is a TextGrid that ends too early or is none";
        Problem::new(Code::Malformed, message).file(file)
    })?;
    transcript(tiers, asked, file)
}

fn tiers(text: &str) -> Option<Vec<Tier>> {
    let mut tokens = Tokens(text);
    let text = |tokens: &mut Tokens<'_>| match tokens.next()? {
        Token::Text(text) => Some(text),
        Token::Number(_) | Token::Flag => None,
    };
    let number = |tokens: &mut Tokens<'_>| match tokens.next()? {
        Token::Number(number) => Some(number),
        Token::Text(_) | Token::Flag => None,
    };
    text(&mut tokens).filter(|kind| kind == "ooTextFile")?;
    text(&mut tokens).filter(|class| class == "TextGrid")?;
    number(&mut tokens)?;
    number(&mut tokens)?;
    if tokens.next()? != Token::Flag {
        return None;
    }
    let count = number(&mut tokens)?;
    let mut tiers = Vec::new();
    for _ in 0..count as u64 {
        let class = text(&mut tokens)?;
        let mut tier = Tier {
            name: text(&mut tokens)?,
            is_own: class == "IntervalTier",
            ..Tier::default()
        };
        number(&mut tokens)?;
        number(&mut tokens)?;
        let pieces = number(&mut tokens)?;
        for _ in 0..pieces as u64 {
            let start = number(&mut tokens)?;
            if class == "IntervalTier" {
                number(&mut tokens)?;
            }
            tier.pieces.push((start, text(&mut tokens)?));
        }
        tiers.push(tier);
    }
    Some(tiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0 \nxmax = 2.3 \ntiers? <exists> \nsize = 2 \nitem []: \n    item [1]:\n        class = \"IntervalTier\" \n        name = \"words\" \n        xmin = 0 \n        xmax = 2.3 \n        intervals: size = 3 \n        intervals [1]:\n            xmin = 0 \n            xmax = 0.5 \n            text = \"नमस्ते\" \n        intervals [2]:\n            xmin = 0.5 \n            xmax = 0.6 \n            text = \"\" \n        intervals [3]:\n            xmin = 0.6 \n            xmax = 2.3 \n            text = \"he said \"\"no\"\"\nand left\" \n    item [2]:\n        class = \"IntervalTier\" \n        name = \"phones\" \n        xmin = 0 \n        xmax = 2.3 \n        intervals: size = 1 \n        intervals [1]:\n            xmin = 0 \n            xmax = 2.3 \n            text = \"n\" \n";
    const SHORT: &str = "File type = \"ooTextFile\"\n\"TextGrid\"\n\n0\n2.3\n<exists>\n2\n\"TextTier\"\n\"marks\"\n0\n2.3\n1\n0.4\n\"x\"\n\"IntervalTier\"\n\"Asha\"\n0\n2.3\n2\n0\n0.5\n\"sil\"\n0.5\n2.3\n\"ठीक है\"\n";

    fn said(text: &str, asked: Option<&str>) -> Result<String, Problem> {
        text_of(text, asked, "x.TextGrid").map(|(text, _)| text)
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(said(LONG, None).unwrap(), "नमस्ते he said \"no\" and left");
        assert_eq!(said(LONG, Some("phones")).unwrap(), "n");
        assert_eq!(said(SHORT, None).unwrap(), "ठीक है");
        assert_eq!(said(SHORT, Some("marks")).unwrap(), "x");
    }

    #[test]
    fn what_can_not_be_told_is_a_question() {
        let two = LONG
            .replace("\"words\"", "\"A\"")
            .replace("\"phones\"", "\"B\"");
        let told = said(&two, None).unwrap_err();
        assert_eq!(told.code, Code::ChooseColumn);
        assert!(told.message.contains("\"A\", \"B\""), "{told}");
        assert_eq!(said(&two, Some("C")).unwrap_err().code, Code::ChooseColumn);
        assert_eq!(said(&LONG[..400], None).unwrap_err().code, Code::Malformed);
        let many = LONG.replace("size = 3", "size = 1e18");
        assert_eq!(said(&many, None).unwrap_err().code, Code::Malformed);
    }
}
