//! Models and languages.

use serde_json::json;

use crate::support::{Expect, FLASH, PRO, items, text, with};

#[test]
fn providers_tell_what_a_choice_needs() {
    with(async |w| {
        let listed = w.get("/providers").await;
        let models = items(listed.data(200));
        let ids: Vec<&str> = models.iter().map(|model| text(&model["id"])).collect();
        assert!(ids.contains(&PRO) && ids.contains(&FLASH), "{ids:?}");
        for model in models {
            let google = model["provider"] == "google";
            assert_eq!(model["has_credentials"], json!(google), "{model}");
            let regions = items(&model["regions"]).len();
            assert!(["batch", "jobs", "calls"].contains(&text(&model["mode"])));
            assert_eq!(model["mode"] == "batch", model["batch"] == json!(true));
            let fields = match text(&model["asked_with"]) {
                "key" if regions > 0 => json!(["api_key", "region"]),
                "key" => json!(["api_key"]),
                // Until the operator switches it on: see `has_credentials`.
                "role" => json!([]),
                other => panic!("{other}: {model}"),
            };
            assert_eq!(model["credential_fields"], fields, "{model}");
            assert_eq!(model["asked_with"] == "role", model["provider"] == "aws");
            let (audio, price) = (&model["audio"], &model["price"]);
            assert_eq!(audio["max_bytes"], model["limits"]["max_file_bytes"]);
            assert_eq!(
                items(&audio["formats"]).len(),
                items(&model["formats"]).len()
            );
            let unit = match text(&price["unit"]) {
                "audio_hour" => &price["per_audio_hour"],
                _ => &price["audio_input"],
            };
            assert!(unit.as_f64().unwrap() > 0.0, "{model}");
            assert!(!text(&model["model"]).is_empty() && !text(&model["display_name"]).is_empty());
            let languages = items(&model["languages"]).len();
            // A model may take some of them; these take all.
            assert!(
                languages >= if model["provider"] == "google" { 13 } else { 2 },
                "{model}"
            );
            assert!(model["limits"]["max_file_bytes"].as_u64().unwrap() > 0);
            assert!(model["limits"]["max_audio_seconds"].as_u64().unwrap() > 0);
            assert!(model["price_per_audio_hour_usd"].as_f64().unwrap() > 0.0);
            let day = text(&model["price_read_on"]);
            assert!(day.len() == 10 && day.starts_with("202"), "{day}");
        }
        w.delete("/credentials/google").await.ok(200);
        let listed = w.get("/providers").await;
        for model in items(listed.data(200)) {
            assert_eq!(model["has_credentials"], json!(false), "{model}");
        }
        let retiring = items(listed.data(200))
            .iter()
            .find(|m| !m["retires_at"].is_null());
        assert_eq!(text(&retiring.unwrap()["retires_at"]).len(), 10);
    });
}

#[test]
fn languages_are_those_of_the_country() {
    with(async |w| {
        let listed = w.get("/languages").await;
        let languages = items(listed.data(200));
        let codes: Vec<&str> = languages
            .iter()
            .map(|language| text(&language["code"]))
            .collect();
        for code in [
            "en", "hi", "ta", "kn", "ml", "te", "or", "as", "gu", "bn", "pa", "mr", "ur",
        ] {
            assert!(codes.contains(&code), "{code} is missing");
            let language = languages.iter().find(|l| l["code"] == code).unwrap();
            assert!(!text(&language["name"]).is_empty());
            assert!(!text(&language["native_name"]).is_empty());
            assert!(!items(&language["scripts"]).is_empty());
            assert!(items(&language["providers"]).contains(&json!(PRO)));
        }
        assert_eq!(listed.body["metadata"]["total"], codes.len());
    });
}
