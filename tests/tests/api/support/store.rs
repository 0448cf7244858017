//! What is really kept, behind the api: for "deleted" and "nothing was written".

use super::World;

const TABLES: [&str; 7] = [
    "files", "datasets", "samples", "runs", "units", "results", "access",
];

/// The bucket of the shared machine.
pub fn bucket(world: &World) -> String {
    world.machine.node.ready_line()["bucket"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Keys of the bucket that contain a text.
pub async fn objects(world: &World, part: &str) -> Vec<String> {
    let s3 = world.machine.node.cloud.s3_client();
    let mut pages = s3
        .list_objects_v2()
        .bucket(bucket(world))
        .into_paginator()
        .page_size(1_000)
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let keys = page.contents().iter().filter_map(|object| object.key());
        found.extend(keys.filter(|key| key.contains(part)).map(str::to_owned));
    }
    found
}

/// Items of the tables in which a text occurs, as `table: item`. Not the mark
/// that a run was deleted: the table forgets it by itself.
pub async fn rows(world: &World, part: &str) -> Vec<String> {
    let dynamodb = world.machine.node.cloud.dynamodb_client();
    let mut found = Vec::new();
    for table in TABLES {
        let mut pages = dynamodb.scan().table_name(table).into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.unwrap().items() {
                let key = item.get("sk").and_then(|sk| sk.as_s().ok());
                if key.is_some_and(|key| key.starts_with("gone#")) {
                    continue;
                }
                let item = format!("{table}: {item:?}");
                if item.contains(part) {
                    found.push(item);
                }
            }
        }
    }
    found
}

/// The random part of an id: keys of items hold it without its prefix.
pub fn bare(id: &str) -> &str {
    id.split_once('_').unwrap().1
}

/// Drops an object into the bucket.
pub async fn drop_object(world: &World, key: &str, bytes: &[u8]) {
    let s3 = world.machine.node.cloud.s3_client();
    let put = s3
        .put_object()
        .bucket(bucket(world))
        .key(key)
        .body(bytes.to_vec().into());
    put.send().await.unwrap();
}
