//! Models and languages.

use serde_json::json;

use crate::support::{Expect, FLASH, PRO, each, items, text, with};

#[test]
fn providers_tell_what_a_choice_needs() {
    with(async |w| {
        let listed = w.get("/providers").await;
        let models = items(listed.data(200));
        let ids: Vec<&str> = models.iter().map(|model| text(&model["id"])).collect();
        assert!(ids.contains(&PRO) && ids.contains(&FLASH), "{ids:?}");
        for model in models {
            assert_eq!(model["provider"], "google");
            assert_eq!(model["has_credentials"], true);
            assert!(!text(&model["model"]).is_empty() && !text(&model["display_name"]).is_empty());
            assert!(items(&model["languages"]).len() >= 13, "{model}");
            assert!(model["limits"]["max_file_bytes"].as_u64().unwrap() > 0);
            assert!(model["limits"]["max_audio_seconds"].as_u64().unwrap() > 0);
            assert!(model["price_per_audio_hour_usd"].as_f64().unwrap() > 0.0);
            let day = text(&model["price_read_on"]);
            assert!(day.len() == 10 && day.starts_with("202"), "{day}");
        }
        w.delete("/credentials/google").await.ok(200);
        let listed = w.get("/providers").await;
        assert!(
            each(listed.data(200), "has_credentials")
                .iter()
                .all(|has| **has == json!(false))
        );
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
