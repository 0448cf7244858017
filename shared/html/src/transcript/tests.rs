use proptest::prelude::*;

use super::*;

fn word(text: &str, start: usize) -> Option<Word> {
    Some(Word {
        text: text.to_lowercase(),
        start,
        end: start + text.len(),
    })
}

/// Words of texts that differ word by word, aligned one to one.
fn aligned(reference: &str, transcription: &str) -> Vec<AlignedWord> {
    fn words(text: &str) -> Vec<Word> {
        let at = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        let words = text.split_whitespace();
        words.filter_map(|part| word(part, at(part))).collect()
    }
    let (said, heard) = (words(reference), words(transcription));
    (0..said.len().max(heard.len()))
        .map(|index| {
            let (reference, hypothesis) = (said.get(index).cloned(), heard.get(index).cloned());
            let op = match (&reference, &hypothesis) {
                (Some(a), Some(b)) if a.text == b.text => Op::Equal,
                (Some(_), Some(_)) => Op::Substitute,
                (Some(_), None) => Op::Delete,
                _ => Op::Insert,
            };
            AlignedWord {
                op,
                reference,
                hypothesis,
            }
        })
        .collect()
}

fn html(language: &str, reference: &str, transcription: &str) -> String {
    let alignment = aligned(reference, transcription);
    let pieces = pieces(reference, transcription, &alignment, Invisible::Work);
    Line::new(language, &pieces).render().unwrap()
}

#[test]
fn what_a_reference_escapes_is_told_as_it_was_said() {
    let told = html("en", r"say \{name\} now", "say name now");
    assert!(told.contains("instead of </span>{name}</span>"), "{told}");
    assert!(!told.contains('\\'), "{told}");
}

#[test]
fn words_are_marked_by_what_became_of_them() {
    assert_eq!(
        html("en", "One two three", "one, tow"),
        "<div class=\"transcript\" lang=\"en\" dir=\"ltr\"><p>\
         <bdi class=\"replaced\">one<b class=\"differs\">,</b><span class=\"said\">\
         <span lang=\"en\"> instead of </span>One</span></bdi> \
         <bdi class=\"replaced\">t<b class=\"differs\">o</b>w<span class=\"said\">\
         <span lang=\"en\"> instead of </span>two</span></bdi> \
         <del><span class=\"said\" lang=\"en\">missing </span><bdi>three</bdi></del></p></div>"
            .replace(
                "<bdi class=\"replaced\">one<b class=\"differs\">,</b>",
                "<bdi class=\"replaced\"><b class=\"differs\">o</b>ne<b class=\"differs\">,</b>"
            )
    );
    let added = html("ur", "ایک", "ایک دو");
    assert!(added.contains("lang=\"ur\" dir=\"rtl\""), "{added}");
    assert!(
        added.contains("<ins><span class=\"said\" lang=\"en\">added </span><bdi>دو</bdi></ins>"),
        "{added}"
    );
}

#[test]
fn one_written_word_that_is_scored_as_two_is_shown_once() {
    let (reference, heard) = ("ten thousand", "10000");
    let alignment = [("ten", 0), ("thousand", 4)].map(|(text, start)| AlignedWord {
        op: Op::Equal,
        reference: word(text, start),
        hypothesis: Some(Word {
            text: text.to_owned(),
            start: 0,
            end: 5,
        }),
    });
    let made = pieces(reference, heard, &alignment, Invisible::Work);
    let texts: Vec<&Bit> = made.iter().flat_map(|piece| &piece.bits).collect();
    let told = |text: &str| Bit::Text(text.to_owned());
    assert_eq!(texts, [&told("10000"), &told(" "), &told("thousand")]);
}

#[test]
fn what_is_invisible_is_labelled_where_that_is_wanted() {
    let text = "क्\u{200d}ष \u{202e}x";
    let labels = |mode| {
        let pieces = plain(text, mode);
        let bits = pieces.into_iter().flat_map(|piece| piece.bits);
        bits.filter(|bit| matches!(bit, Bit::Label(_))).count()
    };
    assert_eq!(labels(Invisible::Work), 1);
    assert_eq!(labels(Invisible::Labelled), 2);
}

#[test]
fn a_long_text_is_shown_in_part_until_all_is_asked_for() {
    let text = "word ".repeat(LONG + 1);
    let html = html("en", &text, &text);
    let (first, rest) = html.split_once("<details>").unwrap();
    assert_eq!(first.matches("<bdi>").count(), SHOWN_FIRST);
    assert_eq!(rest.matches("<bdi>").count(), LONG + 1 - SHOWN_FIRST);
}

/// What stands outside of tags, without character references.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"onload=alert(1)",
    "&#x3c;b&#x3e;",
    "\u{202e}evil\u{202c}",
    "nul\0nul",
    "</p></div><img src=x onerror=alert(1)>",
    "a {{ 7 * 7 }} b",
    "=1+1",
];

#[test]
fn hostile_texts_are_shown_as_they_are() {
    for text in HOSTILE {
        let html = html("hi", text, text);
        for tag in html.split('<').skip(1) {
            let known = [
                "div", "/div", "p>", "/p>", "bdi", "/bdi", "b ", "/b>", "span", "/span",
            ];
            assert!(known.iter().any(|name| tag.starts_with(name)), "{html}");
        }
        let shown: String = text
            .replace('\0', "⟨NUL⟩")
            .replace('\u{202e}', "⟨RLO⟩")
            .replace('\u{202c}', "⟨PDF⟩");
        assert_eq!(text_of(&html), shown);
    }
    let long = "x".repeat(100_000);
    assert!(html("en", &long, "y").len() < 110_000);
}

proptest! {
    #[test]
    fn all_that_was_transcribed_is_shown(
        said in "(\\PC{0,6} ){0,8}", heard in "(\\PC{0,6} ){0,8}"
    ) {
        let alignment = aligned(&said, &heard);
        let made = pieces(&said, &heard, &alignment, Invisible::Work);
        let mut shown = String::new();
        for piece in made.iter().filter(|piece| piece.mark != Mark::Missing) {
            for bit in &piece.bits {
                match bit {
                    Bit::Text(text) | Bit::Differs(text) | Bit::Label(text) => shown.push_str(text),
                }
            }
        }
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(squeezed(&shown), squeezed(&crate::invisible::visible(&heard)));
    }

    #[test]
    fn offsets_of_any_kind_break_nothing(
        said in "\\PC{0,20}", heard in "\\PC{0,20}",
        places in proptest::collection::vec((0usize..40, 0usize..40, 0usize..40, 0usize..40), 0..6)
    ) {
        let at = |start, end| Some(Word { text: "w".to_owned(), start, end });
        let alignment: Vec<AlignedWord> = places
            .into_iter()
            .map(|(a, b, c, d)| AlignedWord { op: Op::Substitute, reference: at(a, b), hypothesis: at(c, d) })
            .collect();
        let made = pieces(&said, &heard, &alignment, Invisible::Labelled);
        prop_assert!(Line::new("en", &made).render().is_ok());
    }

    #[test]
    fn no_text_becomes_markup(heard in "[<>&\"'a\u{202e}\u{0}]{0,30}") {
        let html = html("en", "a b c", &heard);
        let opened = html.matches('<').count();
        prop_assert_eq!(opened, html.matches('>').count());
        let turns = html.contains(['\0', '\u{202e}']);
        prop_assert!(!turns);
    }
}
