//! Whose a key is.

use serde_json::json;

use crate::support::{Expect, id, text, with};

#[test]
fn every_key_is_told_whose_it_is() {
    with(async |w| {
        let rights = ["read", "review", "edit", "administer"];
        for (role, count) in [("viewer", 1), ("reviewer", 2), ("editor", 3), ("admin", 4)] {
            let body = json!({ "name": format!("the {role}"), "role": role });
            let made = w.post("//api/v1/keys", &body).await.data(201).clone();
            let client = w.with_key(Some(text(&made["key"])));
            let told = client.get("/whoami").await.data(200).clone();
            assert_eq!(told["project"], w.project.name);
            assert_eq!(told["may"], json!(rights[..count]));
            assert_eq!(told["key"]["name"], format!("the {role}"));
            assert_eq!(told["key"]["role"], role);
            assert_eq!(told["key"]["id"], made["id"]);
            assert_eq!(told["key"]["last_four"], made["last_four"]);
            assert!(told["key"].get("key").is_none(), "{told}");
            w.delete(&format!("//api/v1/keys/{}", id(&made)))
                .await
                .ok(200);
            client.get("/whoami").await.no(401);
        }
        assert_eq!(
            w.stranger().await.get("/whoami").await.data(200)["key"]["role"],
            "admin"
        );
    });
}
