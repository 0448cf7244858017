//! Roles.

use crate::support::routes::{OPERATIONS, ROLES, Things, with_role};
use crate::support::{Expect, with};

#[test]
fn each_role_may_do_what_it_is_for_and_no_more() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let rank = |role: &str| ROLES.iter().position(|known| *known == role).unwrap();
        for role in ROLES {
            let client = with_role(&w.project, role).await;
            for operation in OPERATIONS {
                let allowed = rank(role) >= rank(operation.role);
                // What an admin or editor deletes must be there for the next one.
                if allowed && operation.method == "DELETE" {
                    continue;
                }
                let answer = operation.send(&client, &things).await;
                let what = format!("{role}: {} {}", operation.method, operation.path);
                if allowed {
                    assert!(
                        ![401, 403, 404, 405].contains(&answer.status),
                        "{what}: {}",
                        answer.text
                    );
                    assert!(answer.status < 500, "{what}: {}", answer.text);
                } else {
                    assert_eq!(answer.status, 403, "{what}: {}", answer.text);
                    answer.no(403);
                }
            }
        }
        // A key without permission learns nothing of what exists.
        let viewer = with_role(&w.project, "viewer").await;
        for operation in OPERATIONS
            .iter()
            .filter(|o| o.role != "viewer" && o.names_a_thing())
        {
            let mine = operation.send(&viewer, &things).await;
            let none = operation.send(&viewer, &Things::nowhere()).await;
            assert_eq!(mine.body["error"], none.body["error"]);
            assert_eq!(mine.status, none.status);
        }
    });
}

#[test]
fn deletions_are_for_editors_and_admins() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let editor = with_role(&w.project, "editor").await;
        for operation in OPERATIONS.iter().filter(|o| o.method == "DELETE") {
            let client = if operation.role == "editor" {
                &editor
            } else {
                &w.project.client
            };
            operation.send(client, &things).await.ok(200);
        }
    });
}

#[test]
fn without_a_key_nothing_is_told() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let anonymous = w.with_key(None);
        for operation in OPERATIONS {
            for things in [&things, &Things::nowhere()] {
                let answer = operation.send(&anonymous, things).await;
                assert_eq!(
                    answer.status, 401,
                    "{} {}",
                    operation.method, operation.path
                );
                answer.no(401);
            }
        }
    });
}
