//! Annotations of ELAN (`.eaf`).

use std::collections::HashMap;

use super::tiers::{Tier, transcript};
use crate::problem::{Code, Problem};
use crate::xml::{Piece, Pieces};

/// Most steps from an annotation to the one it depends on.
const STEPS: usize = 16;

/// An annotation: when it begins, or on which other one it depends.
struct Annotation {
    tier: usize,
    starts: Option<f64>,
    on: Option<String>,
    text: String,
}

/// The transcript in a file, and what is to be told of it.
pub(super) fn text_of(
    text: &str,
    asked: Option<&str>,
    file: &str,
) -> Result<(String, Option<String>), Problem> {
    let mut pieces = Pieces::new(text, file);
    let mut slots: HashMap<String, f64> = HashMap::new();
    let mut last = 0.0;
    let mut tiers: Vec<Tier> = Vec::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut annotations: Vec<Annotation> = Vec::new();
    let (mut is_document, mut in_value) = (false, false);
    loop {
        match pieces.next()? {
            Piece::Begin(element) if element.is("ANNOTATION_DOCUMENT") => is_document = true,
            Piece::Begin(element) if element.is("TIME_SLOT") => {
                // One without a time lies somewhere behind the one before it.
                let value = element.attribute("TIME_VALUE");
                last = value.and_then(|ms| ms.parse().ok()).unwrap_or(last);
                let id = element.attribute("TIME_SLOT_ID").unwrap_or_default();
                slots.insert(id, last / 1_000.0);
            }
            Piece::Begin(element) if element.is("TIER") => tiers.push(Tier {
                name: element.attribute("TIER_ID").unwrap_or_default(),
                speaker: element
                    .attribute("PARTICIPANT")
                    .filter(|name| !name.trim().is_empty()),
                is_own: element.attribute("PARENT_REF").is_none(),
                pieces: Vec::new(),
            }),
            Piece::Begin(element)
                if element.is("ALIGNABLE_ANNOTATION") || element.is("REF_ANNOTATION") =>
            {
                let slot = element.attribute("TIME_SLOT_REF1");
                let id = element.attribute("ANNOTATION_ID").unwrap_or_default();
                ids.insert(id, annotations.len());
                annotations.push(Annotation {
                    tier: tiers.len().saturating_sub(1),
                    starts: slot.and_then(|slot| slots.get(&slot).copied()),
                    on: element.attribute("ANNOTATION_REF"),
                    text: String::new(),
                });
            }
            Piece::Begin(element) => in_value = element.is("ANNOTATION_VALUE"),
            Piece::Text(text) if in_value => {
                if let Some(annotation) = annotations.last_mut() {
                    annotation.text += &text;
                }
            }
            Piece::Text(_) => {}
            Piece::End(name) => in_value &= name != "ANNOTATION_VALUE",
            Piece::Over => break,
        }
    }
    if !is_document {
        let problem = Problem::new(Code::Malformed, "has no annotations of ELAN");
        return Err(problem.file(file));
    }
    for at in 0..annotations.len() {
        let starts = starts(&annotations, &ids, at);
        let Some(annotation) = annotations.get_mut(at) else {
            continue;
        };
        if let Some(tier) = tiers.get_mut(annotation.tier) {
            tier.pieces
                .push((starts, std::mem::take(&mut annotation.text)));
        }
    }
    transcript(tiers, asked, file)
}

/// When an annotation begins: as the one it depends on, after some steps.
fn starts(annotations: &[Annotation], ids: &HashMap<String, usize>, mut at: usize) -> f64 {
    for _ in 0..STEPS {
        let Some(annotation) = annotations.get(at) else {
            break;
        };
        if let Some(starts) = annotation.starts {
            return starts;
        }
        match annotation.on.as_ref().and_then(|on| ids.get(on)) {
            Some(next) => at = *next,
            None => break,
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ANNOTATION_DOCUMENT xmlns:xsi=\"x\" FORMAT=\"3.0\">\n<HEADER TIME_UNITS=\"milliseconds\"><MEDIA_DESCRIPTOR MEDIA_URL=\"file:///C:/x.wav\"/></HEADER>\n<TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"ts1\" TIME_VALUE=\"100\"/><TIME_SLOT TIME_SLOT_ID=\"ts2\"/><TIME_SLOT TIME_SLOT_ID=\"ts3\" TIME_VALUE=\"2300\"/></TIME_ORDER>\n<TIER TIER_ID=\"asha\" PARTICIPANT=\"Asha\" LINGUISTIC_TYPE_REF=\"t\">\n<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a2\" TIME_SLOT_REF1=\"ts3\" TIME_SLOT_REF2=\"ts3\"><ANNOTATION_VALUE>ठीक &amp; है</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>\n<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a1\" TIME_SLOT_REF1=\"ts1\" TIME_SLOT_REF2=\"ts2\"><ANNOTATION_VALUE>नमस्ते\nजी</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>\n<TIER TIER_ID=\"en\" PARENT_REF=\"asha\" PARTICIPANT=\"Asha\"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"b2\" ANNOTATION_REF=\"a2\"><ANNOTATION_VALUE>fine</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION><ANNOTATION><REF_ANNOTATION ANNOTATION_ID=\"b1\" ANNOTATION_REF=\"a1\"><ANNOTATION_VALUE>hello</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>\n<TIER TIER_ID=\"empty\"/>\n</ANNOTATION_DOCUMENT>\n";

    #[test]
    fn tiers_that_depend_on_others_are_not_the_transcript() {
        let said = |asked| text_of(DOCUMENT, asked, "x.eaf");
        assert_eq!(said(None), Ok(("नमस्ते जी ठीक & है".to_owned(), None)));
        assert_eq!(said(Some("en")), Ok(("hello fine".to_owned(), None)));
        assert_eq!(said(Some("x")).unwrap_err().code, Code::ChooseColumn);
        let two = DOCUMENT.replace(
            "<TIER TIER_ID=\"empty\"/>",
            "<TIER TIER_ID=\"ravi\" PARTICIPANT=\"Ravi\"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"c\" TIME_SLOT_REF1=\"ts2\" TIME_SLOT_REF2=\"ts3\"><ANNOTATION_VALUE>हाँ</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>",
        );
        let (text, remark) = text_of(&two, None, "x.eaf").unwrap();
        assert_eq!(text, "नमस्ते जी हाँ ठीक & है");
        assert!(remark.unwrap().contains("2 speakers"));
        let nameless = two.replace("PARTICIPANT=\"Ravi\"", "");
        let told = text_of(&nameless, None, "x.eaf").unwrap_err();
        assert_eq!(told.code, Code::ChooseColumn);
        assert_eq!(
            text_of("<a/>", None, "x").unwrap_err().code,
            Code::Malformed
        );
        // An annotation that depends on itself.
        let round = DOCUMENT.replace("ANNOTATION_REF=\"a1\"", "ANNOTATION_REF=\"b1\"");
        assert!(text_of(&round, Some("en"), "x").is_ok());
    }
}
