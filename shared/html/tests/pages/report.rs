//! The report.

use crate::samples::{Model, models, report};
use serde_json::json;
use stt_eval_html::layout::{Frame, Medium, Section, Visitor};
use stt_eval_html::report::{self, Links, Order};

const WORDS: [&str; 4] = ["बुखार", "बूखार", "है", "तो"];
const NBSP: &str = "\u{a0}";

#[test]
fn rates_that_stand_beside_each_other_are_of_the_same_clips() {
    let mut value = report("r", &models(), WORDS, true);
    let alike = report::file(&value).unwrap();
    assert!(!alike.contains("of its own") && !alike.contains("that all models have"));
    let warning =
        json!({ "code": "fewer_shared_samples", "model": null, "count": 7, "message": "m" });
    value.warnings = vec![serde_json::from_value(warning).unwrap()];
    let comparison = value.comparison.as_mut().unwrap();
    comparison.samples = 7;
    for (at, of) in comparison.providers.values_mut().enumerate() {
        of.wer = 0.0101 + at as f64 / 100.0;
        of.wer_interval = None;
    }
    let html = report::file(&value).unwrap();
    let over = format!("over the 7{NBSP}clips that all models have");
    let models = section(&html, "models");
    // By name, flash is the first of the compared.
    let row = models.split("gemini-2.5-flash</bdi>").nth(1).unwrap();
    let row = row.split("</tr>").next().unwrap();
    assert!(row.contains("<b>1.0") && row.contains("lowest"), "{row}");
    assert!(
        row.contains("11.8") && row.contains("on 180\u{a0}clips of its own"),
        "{row}"
    );
    assert_eq!(models.matches(&over).count(), 2, "{models}");
    assert!(models.contains("over its own clips"), "{models}");
    let (_, panel) = models.split_once("</table>").unwrap();
    assert!(!panel.contains("11.8"), "{panel}");
    let cost = section(&html, "cost");
    assert!(cost.contains(&over) && !cost.contains("11.8"), "{cost}");
    let steps = section(&html, "forgiven");
    assert!(steps.contains("180\u{a0}clips of its own"), "{steps}");
}

#[test]
fn every_section_has_its_heading_and_there_is_one_h1() {
    let html = report::file(&report("r", &models(), WORDS, true)).unwrap();
    for heading in [
        "Who wins",
        "Models",
        "Pairs",
        "What normalisation forgave",
        "Where it differs",
        "How errors are spread",
        "Cost",
        "How reviewers agree",
        "How this was measured",
    ] {
        let found = html.matches(&format!(">{heading}</h2>")).count();
        assert_eq!(found, 1, "{heading}");
    }
    assert_eq!(html.matches("<h1>").count(), 1);
    assert_eq!(html.matches("<main ").count(), 1);
    let origins =
        "1,500 given with the dataset, 10 begun as what models agreed on; 12 of them with";
    assert!(html.contains(origins), "{html}");
}

#[test]
fn agreement_is_told_by_more_than_one_figure_and_not_of_few() {
    let mut value = report("r", &models(), WORDS, true);
    let html = report::file(&value).unwrap();
    let told = section(&html, "agreement");
    for figure in ["92.0", "33.3", "0.91<small>0.84 to 0.96", "\u{2212}0.03"] {
        assert!(told.contains(figure), "{figure}: {told}");
    }
    let row = "<th scope=\"row\">Judged differently</th><td class=\"number\">8</td>";
    assert!(told.contains(row), "{told}");
    if let Some(agreement) = &mut value.agreement {
        agreement.items = 29;
        agreement.agreement = None;
        agreement.agreement_on_wrong = None;
        agreement.ac1 = None;
        agreement.alpha = None;
    }
    let html = report::file(&value).unwrap();
    let told = section(&html, "agreement");
    assert!(
        told.contains("29\u{a0}transcriptions. From 30 on"),
        "{told}"
    );
    assert!(!told.contains('%') && !told.contains("AC1"), "{told}");
    value.agreement = None;
    assert!(
        !report::file(&value)
            .unwrap()
            .contains("How reviewers agree")
    );
}

/// Where the page of a report is, and what hangs on it.
pub(crate) const LINKS: Links<'static> = Links {
    run: "/runs/x",
    page: "/runs/x/report",
    query: "",
    file: "/runs/x/report.html",
    fields: &[],
    group_by: None,
    block_by: None,
    kept: &[],
};

/// The part of a page that a heading names.
pub(crate) fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let begin = html
        .find(&format!("<section aria-labelledby=\"{id}\">"))
        .unwrap();
    let rest = &html[begin..];
    &rest[..rest.find("</section>").unwrap()]
}

#[test]
fn charts_have_a_title_a_finding_and_the_figures_of_their_table() {
    let html = report::file(&report("r", &models(), WORDS, true)).unwrap();
    let charts: Vec<&str> = html.split("<svg class=\"chart\"").skip(1).collect();
    // Two panels, steps, two partings, four spreads, cost.
    assert_eq!(charts.len(), 2 + 1 + 2 + 4 + 1);
    for chart in charts {
        let chart = chart.split("</svg>").next().unwrap();
        assert!(chart.starts_with(" role=\"img\" viewBox=\"0 0 "), "{chart}");
        let desc = chart.split("<desc>").nth(1).unwrap();
        assert!(desc.split("</desc>").next().unwrap().len() > 20, "{chart}");
        assert!(chart.contains("<title>"));
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
    }
    let models = section(&html, "models");
    let (table, panels) = models.split_once("</table>").unwrap();
    let mut told = 0;
    for text in panels.split("class=\"value\"").skip(1) {
        let text = text.split_once('>').unwrap().1.split('<').next().unwrap();
        let number = text.split([' ', '\u{202f}']).next().unwrap();
        assert!(table.contains(number), "{number} is in no cell");
        told += 1;
    }
    assert_eq!(told, 4 + 3);
    assert!(models.contains("20 at random, 5 worst first. Only those at random"));
}

#[test]
fn parts_of_few_clips_tell_no_rate() {
    let html = report::file(&report("r", &models(), WORDS, true)).unwrap();
    let differs = section(&html, "differs");
    let of = |value: &str| {
        let begin = differs.find(&format!("<bdi>{value}</bdi>")).unwrap();
        differs[begin..].split("</tr>").next().unwrap()
    };
    let row = of("thana");
    assert!(row.contains("too few clips") && !row.contains('%'), "{row}");
    let row = of("bazaar");
    assert!(row.contains("few clips") && row.contains('%'), "{row}");
    let row = of("asha");
    assert!(!row.contains("few clips"), "{row}");
}

#[test]
fn a_model_is_dominated_only_for_certain() {
    let html = report::file(&report("r", &models(), WORDS, true)).unwrap();
    let cost = section(&html, "cost");
    assert!(cost.contains("Prices are those of 2026-11-20."), "{cost}");
    let notes = cost.matches("has fewer errors and costs no more").count();
    // Sarvam is dearer and worse; pro is dearer than flash, but not worse.
    assert_eq!(notes, 1, "{cost}");
}

fn hostile() -> Vec<Model> {
    let mut models = models();
    models[0].name = "<script>alert(1)</script>";
    models[1].name = "\u{202e}\"onload=alert(1) '&#x3c;";
    models[2].flags = json!({});
    models
}

#[test]
fn texts_of_people_and_models_are_shown_as_they_are() {
    let words = ["<b>", "\0nul", "\u{202e}rtl", "</td></table>"];
    let name = "<img src=x onerror=alert(1)>\u{202e}";
    let html = report::file(&report(name, &hostile(), words, true)).unwrap();
    for forbidden in [
        "<script",
        "<img",
        "<b>\u{202e}",
        "</td></table></td>",
        "\0",
        "\u{202e}",
    ] {
        let inside = html.find(forbidden);
        assert_eq!(inside, None, "{forbidden:?}");
    }
    assert!(html.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(html.contains("⟨RLO⟩") && html.contains("⟨NUL⟩"));
}

#[test]
fn nothing_of_a_page_is_inline_and_a_file_asks_nothing_of_the_network() {
    let value = report("r", &hostile(), WORDS, false);
    let sections = [Section::Datasets, Section::Runs];
    let frame = Frame {
        title: "r",
        part: None,
        medium: Medium::Site,
        section: Some(Section::Runs),
        visitor: Some(Visitor {
            left: 43_200,
            name: "A. & B.",
            sections: &sections,
        }),
        unencrypted: true,
    };
    let page = report::page(&value, frame, LINKS, Order::Wer).unwrap();
    let file = report::file(&value).unwrap();
    for html in [&page, &file] {
        for tag in html
            .split('<')
            .skip(1)
            .map(|tag| tag.split('>').next().unwrap())
        {
            // On the site what a review left unsaved is sent; a file runs nothing.
            let is_outbox = html == &page && tag.contains("/outbox.js\"");
            assert!(is_outbox || !tag.starts_with("script"), "{tag}");
            let attributes = tag.split(' ').skip(1);
            for attribute in attributes {
                assert!(!attribute.starts_with("style="), "{tag}");
                assert!(!attribute.starts_with("on"), "{tag}");
            }
        }
    }
    assert!(!page.contains("<style"));
    assert!(page.contains("aria-sort=\"ascending\""));
    assert!(page.contains("/runs/x/report?sort=cost#models"));
    // The end of a session is told in its last quarter of an hour.
    assert!(page.contains("data-ends=\"42300000\" hidden>"));
    let ending = Frame {
        visitor: Some(Visitor {
            left: 840,
            name: "A. & B.",
            sections: &sections,
        }),
        ..frame
    };
    let page = report::page(&value, ending, LINKS, Order::Wer).unwrap();
    assert!(page.contains("data-ends=\"0\">") && page.contains("signed out within 15 minutes"));
    assert!(page.contains("<a href=\"/runs\" aria-current=\"page\">Runs</a>"));
    assert!(page.contains("A. &#38; B."));
    assert!(page.contains("provisional"));
    for loading in [
        "src=",
        "<link",
        "url(",
        "@import",
        "href=\"/",
        "href=\"http",
    ] {
        assert!(!file.contains(loading), "{loading}");
    }
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; \
                  style-src &#39;sha256-";
    assert!(file.contains(policy));
}

#[test]
fn what_counts_together_is_told_in_the_sentence_and_the_method() {
    let mut value = report("r", &models(), WORDS, true);
    let alone = report::file(&value).unwrap();
    for told in [
        "Dataset: calls &#60;of&#62; May (ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1), scoring begun at 2026-11-26 10:00 UTC",
        "Steps of the normaliser: ",
        "Number words (numbers; hides real differences)",
    ] {
        assert!(alone.contains(told), "{told}: {alone}");
    }
    assert!(!alone.contains("count together") && alone.contains("each clip is a block"));
    value.block_by = Some("speaker".to_owned());
    value.comparison.as_mut().unwrap().blocks = 9;
    let html = report::file(&value).unwrap();
    let told =
        "Clips of one speaker count together for intervals and verdicts: 9\u{a0}blocks in all.";
    assert!(html.contains(told), "{html}");
    assert!(html.contains("clips of one “speaker” are a block"));
}

#[test]
fn what_a_list_cost_is_not_known_where_it_does_not_say() {
    let html = report::file(&report("r", &models(), WORDS, true)).unwrap();
    let cost = html.split("<section aria-labelledby=\"cost\">").nth(1);
    let cost = cost.unwrap().split("</section>").next().unwrap();
    let row = cost.split("whisper-large-v3-hi").nth(1).unwrap();
    let row = row.split("</tr>").next().unwrap();
    assert_eq!(row.matches(">not known<").count(), 1, "{row}");
    assert!(row.contains(">nothing: made elsewhere<"), "{row}");
    assert_eq!(cost.matches("<tr>").count(), 5, "{cost}");
    assert_eq!(cost.matches("class=\"mark\"").count(), 3, "{cost}");
    let chart = cost.split("Not beaten for certain").nth(1).unwrap();
    let chart = chart.split('<').next().unwrap();
    assert!(
        chart.contains("gemini-2.5-pro") && !chart.contains("whisper"),
        "{chart}"
    );
    assert!(html.contains("cost not known") && !html.contains(">free<"));
    assert!(!html.contains("free spent"));
}

#[test]
fn a_report_of_nothing_is_a_page() {
    let mut value = report("r", &models(), WORDS, false);
    for model in &mut value.providers {
        model.score = None;
        model.rank = None;
        model.wer_interval = None;
        model.distribution.clear();
        model.waterfall.clear();
        model.cost.usd_per_audio_hour = None;
    }
    value.comparison = None;
    value.groups = None;
    value.languages.clear();
    let html = report::file(&value).unwrap();
    assert!(html.contains("Nothing is scored yet."));
    value.providers.clear();
    assert!(report::file(&value).is_ok());
}

#[test]
fn no_template_lets_a_text_through() {
    fn check(folder: &std::path::Path, seen: &mut usize) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                check(&path, seen);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // A script has an address of ours, and nothing in it.
            let ours = "<script type=\"module\" src=\"{{ frame.script_path(";
            let text = text.replace(ours, "");
            for word in ["safe", "escape(", " style=", "onclick", "<script"] {
                assert!(!text.contains(word), "{word} in {}", path.display());
            }
            *seen += 1;
        }
    }
    let mut seen = 0;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    check(&root.join("templates"), &mut seen);
    assert!(seen > 10);
}

#[test]
fn a_large_report_stays_within_its_budget() {
    let names: Vec<String> = (0..16)
        .map(|index| format!("vendor/model-number-{index}"))
        .collect();
    let models: Vec<Model> = names
        .iter()
        .enumerate()
        .map(|(index, name)| Model {
            name: Box::leak(name.clone().into_boxed_str()),
            wrong: 200 + index as u64 * 20,
            rank: (1 + index as u64 / 4, 1, 4),
            price: Some(0.01 * (index + 1) as f64),
            flags: json!({ "loop": 3 }),
            spread: [60, 20, 10, 5, 4, 3, 2, 1, 1, 1, 1, 2],
        })
        .collect();
    let html = report::file(&report("large", &models, WORDS, true)).unwrap();
    assert!(html.len() < 400_000, "{}", html.len());
}

#[test]
fn what_nothing_is_said_on_has_no_rate() {
    let mut silent = report("r", &models(), WORDS, true);
    for model in &mut silent.providers {
        let all = &mut model.score.as_mut().unwrap().all;
        (all.hits, all.substitutions, all.deletions, all.insertions) = (0, 0, 0, 7);
        all.wer = 7.0;
    }
    let page = report::file(&silent).unwrap();
    assert!(
        page.contains("Nothing is scored yet.") && !page.contains("700.0"),
        "{page}"
    );
    for (code, text) in [
        (
            "no_words",
            "Nothing is said on any clip, so there is no error rate.",
        ),
        (
            "no_reference",
            "No clip has a reference, so nothing can be scored.",
        ),
    ] {
        let warning = json!({ "code": code, "model": null, "count": 7, "message": "told" });
        silent.warnings = vec![serde_json::from_value(warning).unwrap()];
        assert!(report::file(&silent).unwrap().contains(text), "{code}");
    }
}
