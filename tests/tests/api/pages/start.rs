//! Starting runs by their form, and following them.

use gemini_sim::Fault;
use serde_json::{Value, json};

use super::{Browser, Page, key};
use crate::support::{FLASH, PRO, World, each, id, with};

/// The hidden token of a form.
fn token_of(page: &Page) -> String {
    let rest = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn runs(w: &World) -> Value {
    w.get("/runs").await.data(200).clone()
}

#[test]
fn a_form_sent_twice_starts_one_run() {
    with(async |w| {
        let made = w.dataset("clips <i>", &[Some("one two")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let list = browser.get("/runs").await;
        assert!(list.text.contains("href=\"/runs/new\""), "{}", list.text);
        let form = browser.get(&format!("/runs/new?dataset={}", made.id)).await;
        assert_eq!(form.status, 200, "{}", form.text);
        assert!(form.text.contains("clips &#60;i&#62;, 20"), "{}", form.text);
        let token = token_of(&form);
        let other = token_of(&browser.get("/runs/new").await);
        assert_ne!(token, other);
        let (pro, flash) = (format!("model.{PRO}"), format!("model.{FLASH}"));
        let fields = [
            ("token", &*token),
            ("run_name", "<b>first</b>"),
            ("dataset_id", &*made.id),
            (&*pro, "1"),
            (&*flash, "1"),
            ("max_cost_usd", " 2.50 "),
        ];
        // Clicked twice: both are sent before one is answered, and the last answer is shown.
        let mut twin = Browser::new(w);
        twin.cookie = browser.cookie.clone();
        let (first, second) =
            futures::join!(browser.post("/runs", &fields), twin.post("/runs", &fields));
        assert_eq!(second.status, 303, "{}", second.text);
        assert_eq!(first.header("location"), second.header("location"));
        assert_eq!(first.status, 303, "{}", first.text);
        let path = first.header("location").to_owned();
        let again = browser.post("/runs", &fields).await;
        assert_eq!((again.status, again.header("location")), (303, &*path));
        let all = runs(w).await;
        assert_eq!(each(&all, "run_name"), ["<b>first</b>"]);
        assert_eq!(all[0]["max_cost_usd"], 2.5);
        assert_eq!(path, format!("/runs/{}", id(&all[0])));
        // Changed, it is another run: that is asked about before money is spent.
        let changed = [&fields[..4], &fields[5..]].concat();
        let page = browser.post("/runs", &changed).await;
        assert_eq!(page.status, 409, "{}", page.text);
        assert!(page.text.contains("was already started with this form"));
        let fresh = token_of(&page);
        assert_ne!(fresh, token);
        let second = [&[("token", &*fresh)], &changed[1..]].concat();
        let page = browser.post("/runs", &second).await;
        assert_eq!(page.status, 303, "{}", page.text);
        assert_eq!(each(&runs(w).await, "id").len(), 2);
    });
}

#[test]
fn transcripts_alone_make_a_run() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"), Some("three")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let token = token_of(&browser.get("/runs/new").await);
        let table = "filename,transcript\n0.wav,one two\n1.wav,tree\n".as_bytes();
        let file = Some(("table", "heard <b>.csv", "text/csv", table));
        let fields = |name: &'static str| {
            [
                ("token", token.clone()),
                ("run_name", "mine".to_owned()),
                ("dataset_id", made.id.clone()),
                ("transcripts", name.to_owned()),
            ]
        };
        let odd = "filename,transcript\n9.wav,one two\n".as_bytes();
        for (name, file, told) in [
            ("Mine", file, "name: must have 1 to 63 characters"),
            ("", file, "name the model"),
            ("mine", None, "choose their table"),
            (
                "mine",
                Some(("table", "a.csv", "text/csv", odd)),
                "line 2: filename: no clip",
            ),
            (
                "mine",
                Some(("table", "a.wav", "", table)),
                "is a recording",
            ),
        ] {
            let page = sent(&mut browser, "/runs", &fields(name), file).await;
            assert_eq!(page.status, 422, "{told}: {}", page.text);
            assert!(page.text.contains(told), "{told}: {}", page.text);
            assert!(!page.text.contains("manifest_file_id"), "{}", page.text);
        }
        assert_eq!(each(&runs(w).await, "id").len(), 0);
        // What was sent for an estimate need not be chosen again.
        let page = sent(&mut browser, "/runs/estimate", &fields("mine"), file).await;
        let page = shown(&mut browser, page).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Nothing is started yet") && page.text.contains(">free<"));
        assert!(page.text.contains("heard &#60;b&#62;.csv"), "{}", page.text);
        let kept = page.text.split("name=\"kept\" value=\"").nth(1).unwrap();
        let kept = kept.split('"').next().unwrap().to_owned();
        let again = [&fields("mine")[..], &[("kept", kept)]].concat();
        let page = sent(&mut browser, "/runs", &again, None).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let path = page.header("location").to_owned();
        // Sent twice with its table, it is one run all the same.
        let token = token_of(&browser.get("/runs/new").await);
        let other = [&[("token", token)], &fields("mine")[1..]].concat();
        let first = sent(&mut browser, "/runs", &other, file).await;
        let second = sent(&mut browser, "/runs", &other, file).await;
        assert_eq!(first.status, 303, "{}", first.text);
        assert_eq!(first.header("location"), second.header("location"));
        assert_ne!(first.header("location"), path);
        let all = runs(w).await;
        assert_eq!(each(&all, "run_name"), ["mine", "mine"]);
        let run = w.ended(&all[1]).await;
        assert_eq!(run["providers"], json!(["imported/mine"]));
        assert_eq!(run["counts"]["completed"], 2, "{run}");
    });
}

async fn sent(
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, String)],
    file: Option<(&str, &str, &str, &[u8])>,
) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, text)| (*name, &**text)).collect();
    browser.send_form(path, &fields, file).await
}

/// What a form leads to: an estimate has an address of its own.
async fn shown(browser: &mut Browser, page: Page) -> Page {
    match page.header("location") {
        to if to.starts_with("/runs/estimate?") => browser.get(to).await,
        _ => page,
    }
}

#[test]
fn what_is_wrong_is_told_at_its_field_and_nothing_is_started() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (pro, odd) = (format!("model.{PRO}"), "model.<odd>".to_owned());
        for (fields, told) in [
            (
                vec![],
                vec!["choose a dataset", "choose at least one model"],
            ),
            (
                vec![
                    ("dataset_id", &*made.id),
                    (&*pro, "1"),
                    ("max_cost_usd", "12,50"),
                ],
                vec!["must be an amount of US dollars"],
            ),
            (
                vec![
                    ("dataset_id", &*made.id),
                    (&*pro, "1"),
                    ("max_cost_usd", "-1"),
                ],
                vec!["must be from 0.000001 to 1000000"],
            ),
            (
                vec![("dataset_id", &*made.id), (&*pro, "1"), (&*odd, "1")],
                vec!["&#60;odd&#62;</a>: is not known"],
            ),
            (
                vec![
                    ("dataset_id", "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"),
                    (&*pro, "1"),
                ],
                vec!["there is no such dataset"],
            ),
            (
                vec![
                    ("dataset_id", &*made.id),
                    ("model.openai/gpt-transcribe", "1"),
                    (&*pro, "1"),
                ],
                vec!["this project has no credentials for openai"],
            ),
        ] {
            for path in ["/runs/estimate", "/runs"] {
                let token = token_of(&browser.get("/runs/new").await);
                let fixed = [("token", &*token), ("run_name", "kept \"name\"")];
                let all = [&fixed[..], &fields[..]].concat();
                let page = browser.post(path, &all).await;
                let page = shown(&mut browser, page).await;
                // To tell what it would take, no key of a vendor is needed.
                if path == "/runs/estimate" && told[0].contains("credentials") {
                    assert_eq!(page.status, 200, "{}", page.text);
                    continue;
                }
                assert_eq!(page.status, 422, "{path} {fields:?}: {}", page.text);
                assert!(page.text.contains("value=\"kept &#34;name&#34;\""));
                assert!(page.text.contains("role=\"alert\""));
                for told in &told {
                    assert!(page.text.contains(told), "{told}: {}", page.text);
                }
            }
        }
        let nameless = [("token", "x"), ("dataset_id", &*made.id), (&*pro, "1")];
        let page = browser.post("/runs", &nameless).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains("must not be empty"), "{}", page.text);
        // A form without its token is none of ours.
        for token in ["", "a b", &"x".repeat(256)] {
            let fields = [
                ("token", token),
                ("run_name", "x"),
                ("dataset_id", &made.id),
                (&pro, "1"),
            ];
            assert_eq!(browser.post("/runs", &fields).await.status, 400);
        }
        assert_eq!(runs(w).await, json!([]));
    });
}

#[test]
fn an_estimate_starts_nothing_and_keeps_what_is_filled_in() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let token = token_of(&browser.get("/runs/new").await);
        let pro = format!("model.{PRO}");
        let fields = [
            ("token", &*token),
            ("run_name", "look"),
            ("dataset_id", &*made.id),
            (&*pro, "1"),
            ("max_cost_usd", "0.000001"),
        ];
        let page = browser.post("/runs/estimate", &fields).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let to = page.header("location").to_owned();
        assert!(to.starts_with("/runs/estimate?run_name=look&"), "{to}");
        assert!(
            !to.contains(&token),
            "who is sent it has a form of their own"
        );
        let page = browser.get(&to).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for text in [
            "What it would take",
            "Nothing is started yet",
            "the run would end early",
            "value=\"0.000001\"",
            &format!("name=\"{pro}\" value=\"1\" checked"),
        ] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(
            !page.text.contains("data-again"),
            "it is asked for again as it is"
        );
        assert_eq!(runs(w).await, json!([]));
        // The form as it stands is at an address as well, and what has no room in one is
        // answered at once.
        let form = browser
            .get(&to.replace("/runs/estimate", "/runs/new"))
            .await;
        assert!(
            form.text.contains("value=\"0.000001\"") && !form.text.contains("What it would take")
        );
        let long = format!("model.custom/{}", "x".repeat(4_000));
        let all = [&fields[..], &[(&*long, "1")]].concat();
        let page = browser.post("/runs/estimate", &all).await;
        assert_eq!(page.status, 422, "{}", page.text);
        let again = format!("data-again=\"/runs/new?dataset={}\"", made.id);
        assert!(page.text.contains(&again), "{}", page.text);
        let page = browser.post("/runs", &fields[..3]).await;
        assert_eq!(page.status, 422, "{}", page.text);
        let again = "data-again=\"/runs/new?run_name=look&#38;dataset_id=";
        assert!(page.text.contains(again), "{}", page.text);
        // Of nothing it is the form.
        let page = browser.get("/runs/estimate").await;
        assert_eq!((page.status, page.header("location")), (303, "/runs/new"));
    });
}

#[test]
fn a_run_that_its_cap_ended_goes_on_with_a_higher_one() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let body = json!({ "run_name": "capped", "dataset_id": made.id, "providers": [PRO],
            "max_cost_usd": 0.000001 });
        let run = w.post("/runs", &body).await.data(202).clone();
        let run = w.ended(&run).await;
        assert_eq!(run["counts"]["failed"], 1, "{run}");
        let path = format!("/runs/{}", id(&run));
        let page = browser.get(&path).await;
        let cap = "name=\"max_cost_usd\" inputmode=\"decimal\" autocomplete=\"off\" maxlength=\"20\" \
                   value=\"0.000001\"";
        assert!(page.text.contains(cap), "{}", page.text);
        let retry = async |browser: &mut Browser, amount: &str| {
            let fields = [("max_cost_usd", amount)];
            browser.post(&format!("{path}/retry"), &fields).await
        };
        for (amount, status, told) in [
            ("0.000001", 409, "the most it may cost is used up"),
            ("", 409, "the most it may cost is used up"),
            ("a lot", 422, "must be an amount of US dollars"),
            ("NaN", 422, "must be an amount of US dollars"),
            ("-1", 422, "must be from"),
        ] {
            let page = retry(&mut browser, amount).await;
            assert_eq!(page.status, status, "{amount}: {}", page.text);
            assert!(page.text.contains(told), "{amount}: {}", page.text);
            assert!(!page.text.contains("ax_cost_usd"), "{}", page.text);
            let back = format!("href=\"{path}\"");
            assert!(page.text.contains(&back), "{amount}: {}", page.text);
        }
        let page = retry(&mut browser, " 2.5 ").await;
        assert_eq!(page.status, 303, "{}", page.text);
        let run = w.ended(&run).await;
        assert_eq!(run["counts"]["completed"], 1, "{run}");
        assert_eq!(run["max_cost_usd"], 2.5);
    });
}

#[test]
fn only_editors_start_runs_and_only_over_datasets_of_their_own() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let pro = format!("model.{PRO}");
        let fields = [
            ("token", "0123"),
            ("run_name", "theirs"),
            ("dataset_id", &*made.id),
            (&*pro, "1"),
        ];
        for (role, may) in [("viewer", false), ("reviewer", false), ("editor", true)] {
            let (key, _) = key(w, role).await;
            let mut browser = Browser::signed_in(w, &key).await;
            let list = browser.get("/runs").await;
            assert_eq!(list.text.contains("New run"), may, "{role}");
            let form = browser.get("/runs/new").await;
            assert_eq!(form.status, if may { 200 } else { 403 }, "{role}");
            // Where a key is added is shown to those who can add one.
            assert!(!form.text.contains("href=\"/settings#"), "{role}");
            if !may {
                for path in ["/runs", "/runs/estimate"] {
                    assert_eq!(browser.post(path, &fields).await.status, 403, "{role}");
                }
            }
        }
        let stranger = w.stranger().await;
        let mut browser = Browser::signed_in(w, &stranger.key).await;
        let form = browser.get(&format!("/runs/new?dataset={}", made.id)).await;
        assert_eq!(form.status, 404);
        assert_eq!(browser.get("/runs/new?dataset=nonsense").await.status, 404);
        let form = browser.get("/runs/new").await;
        assert!(!form.text.contains(&made.id), "{}", form.text);
        for path in ["/runs", "/runs/estimate"] {
            let page = browser.post(path, &fields).await;
            let page = shown(&mut browser, page).await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains("there is no such dataset"));
            // What was sent is shown again, but not what it is called.
            assert!(!page.text.contains("clips ·"), "{}", page.text);
        }
        assert_eq!(runs(w).await, json!([]));
    });
}

#[test]
fn a_run_is_followed_by_a_fragment_that_is_sent_only_when_it_changed() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let stuck = w.strike(w.fault(Fault::Stuck {
            state: "RUNNING".to_owned(),
        }));
        let run = w.start(&made.id, &[PRO]).await;
        let path = format!("/runs/{}", id(&run));
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get(&path).await;
        assert!(page.text.contains("/progress.js\""), "{}", page.text);
        assert!(page.text.contains("Pause updates") && page.text.contains(">Refresh<"));
        let fragment = browser.get(&format!("{path}/progress")).await;
        assert_eq!(fragment.status, 200);
        assert_eq!(fragment.header("cache-control"), "no-store");
        assert!(
            fragment.text.starts_with("<div data-state=\""),
            "{}",
            fragment.text
        );
        assert!(fragment.text.contains("data-followed=\"true\""));
        assert!(fragment.text.contains("Cancel run"), "{}", fragment.text);
        assert!(fragment.header("etag").starts_with("W/\""));
        w.machine.sim().faults().remove(stuck);
        w.ended(&run).await;
        let fragment = browser.get(&format!("{path}/progress")).await;
        assert!(
            fragment
                .text
                .contains("data-state=\"completed\" data-followed=\"false\"")
        );
        assert!(!fragment.text.contains("Cancel run"), "{}", fragment.text);
        let request = browser.request("GET", &format!("{path}/progress"));
        let same = browser
            .send(request.header("if-none-match", fragment.header("etag")))
            .await;
        assert_eq!((same.status, &*same.text), (304, ""));
        assert_eq!(same.header("cache-control"), "no-store");
        let request = browser.request("GET", &format!("{path}/progress"));
        let other = browser
            .send(request.header("if-none-match", "W/\"0\""))
            .await;
        assert_eq!(other.status, 200);
        let page = browser.get(&path).await;
        assert!(!page.text.contains("progress.js"), "{}", page.text);
        // Viewers follow it too, and others do not know of it.
        let (viewer, _) = key(w, "viewer").await;
        let mut viewer = Browser::signed_in(w, &viewer).await;
        let page = viewer.get(&format!("{path}/progress")).await;
        assert!(
            page.status == 200 && !page.text.contains("<form"),
            "{}",
            page.text
        );
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        assert_eq!(stranger.get(&format!("{path}/progress")).await.status, 404);
        let nobody = Browser::new(w).get(&format!("{path}/progress")).await;
        assert_eq!(nobody.status, 303);
    });
}
