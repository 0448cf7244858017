//! The bucket with the official client.

use std::path::Path;

use crate::common::{BUCKET, receive, start};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier,
};

async fn put(s3: &Client, key: &str, body: &[u8]) {
    s3.put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body.to_vec().into())
        .send()
        .await
        .unwrap_or_else(|error| panic!("{key}: {error:?}"));
}

async fn keys(s3: &Client, prefix: &str) -> Vec<String> {
    let mut pages = s3
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .max_keys(2)
        .into_paginator()
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        for object in page.unwrap().contents() {
            assert!(
                object.e_tag().is_some_and(|tag| tag.len() == 34),
                "{object:?}"
            );
            keys.push(object.key().unwrap().to_owned());
        }
    }
    keys
}

fn names_below(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect()
}

#[tokio::test]
async fn objects_keep_their_headers() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let s3 = cloud.s3_client();
    let stored = s3
        .put_object()
        .bucket(BUCKET)
        .key("audio/é ü+%41.wav")
        .content_type("audio/wav")
        .metadata("file-id", "01J")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(b"hello".to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(stored.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(
        stored.checksum_sha256(),
        Some(crate::common::sha256(b"hello").as_str())
    );
    let head = s3.head_object().bucket(BUCKET).key("audio/é ü+%41.wav");
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some("audio/wav"));
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.metadata().unwrap()["file-id"], "01J");
    assert_eq!(keys(&s3, "audio/é").await, ["audio/é ü+%41.wav"]);
    let encoded = s3.list_objects_v2().bucket(BUCKET).prefix("audio/é");
    let encoded = encoded
        .encoding_type(aws_sdk_s3::types::EncodingType::Url)
        .send()
        .await
        .unwrap();
    assert_eq!(
        encoded.contents()[0].key(),
        Some("audio/%C3%A9+%C3%BC%2B%2541.wav")
    );
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn parts_of_objects_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let s3 = cloud.s3_client();
    let body: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    put(&s3, "raw/large", &body).await;
    for (range, expected) in [
        ("bytes=0-9", &body[..10]),
        ("bytes=5000-9999", &body[5000..10_000]),
        ("bytes=299990-", &body[299_990..]),
        ("bytes=-7", &body[299_993..]),
        ("bytes=0-999999", &body[..]),
    ] {
        let get = s3.get_object().bucket(BUCKET).key("raw/large").range(range);
        let got = get.send().await.unwrap();
        let total = got.content_range().unwrap().to_owned();
        assert!(total.ends_with("/300000"), "{total}");
        let bytes = got.body.collect().await.unwrap().into_bytes();
        assert!(bytes == expected, "{range}");
    }
    let beyond = s3.get_object().bucket(BUCKET).key("raw/large");
    let beyond = beyond.range("bytes=300000-").send().await.unwrap_err();
    assert_eq!(beyond.raw_response().unwrap().status().as_u16(), 416);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn lists_page_and_deletes_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let s3 = cloud.s3_client();
    let all = ["a/1", "a/2", "a/3/x", "a/3/y", "a/4"];
    for key in all {
        put(&s3, key, key.as_bytes()).await;
    }
    assert_eq!(keys(&s3, "a/").await, all);
    let folders = s3
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("a/")
        .delimiter("/");
    let folders = folders.send().await.unwrap();
    assert_eq!(folders.common_prefixes()[0].prefix(), Some("a/3/"));
    assert_eq!(folders.key_count(), Some(4));
    let versions = s3.list_object_versions().bucket(BUCKET).prefix("a/");
    let versions = versions.send().await.unwrap();
    assert_eq!(versions.versions().len(), 5);
    assert_eq!(versions.versions()[0].version_id(), Some("null"));

    // A folder is no object.
    let folder = s3.head_object().bucket(BUCKET).key("a/3").send().await;
    assert!(folder.unwrap_err().into_service_error().is_not_found());
    let folder = s3.get_object().bucket(BUCKET).key("a/3").send().await;
    assert!(folder.unwrap_err().into_service_error().is_no_such_key());

    let identifier = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = Delete::builder()
        .set_objects(Some(
            [&all[..4], &["a/never", "a/3"]]
                .concat()
                .into_iter()
                .map(identifier)
                .collect(),
        ))
        .build()
        .unwrap();
    let deleted = s3.delete_objects().bucket(BUCKET).delete(delete);
    let deleted = deleted.send().await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (6, 0));
    assert_eq!(keys(&s3, "").await, ["a/4"]);
    for _ in 0..2 {
        let delete = s3.delete_object().bucket(BUCKET).key("a/4");
        delete.send().await.unwrap();
    }
    assert!(keys(&s3, "").await.is_empty());
    assert_eq!(names_below(&directory.path().join("s3")), [""; 0]);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn large_objects_come_in_parts() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let s3 = cloud.s3_client();
    let key = "incoming/p1/long.wav";
    // What was there before must not show through.
    put(&s3, key, b"before").await;
    assert_eq!(receive(&cloud, "events", 2).await.len(), 1);
    let upload = s3
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .content_type("audio/wav")
        .send()
        .await
        .unwrap();
    let upload = upload.upload_id().unwrap();
    let first: Vec<u8> = (0..5 * 1024 * 1024_u32)
        .map(|at| (at % 249) as u8)
        .collect();
    let mut parts = Vec::new();
    for (number, body) in [(1, first.clone()), (2, b"end".to_vec())] {
        let part = s3
            .upload_part()
            .bucket(BUCKET)
            .key(key)
            .upload_id(upload)
            .part_number(number)
            .body(body.into())
            .send()
            .await
            .unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag().map(str::to_owned))
                .build(),
        );
    }
    let bad = s3
        .upload_part()
        .bucket(BUCKET)
        .key(key)
        .upload_id(upload)
        .part_number(3)
        .checksum_sha256(crate::common::sha256(b"other"))
        .body(ByteStream::from_static(b"not this"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(bad.raw_response().unwrap().status().as_u16(), 400);
    let completed = CompletedMultipartUpload::builder()
        .set_parts(Some(parts))
        .build();
    let done = s3
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .upload_id(upload)
        .multipart_upload(completed)
        .send()
        .await
        .unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let got = s3
        .get_object()
        .bucket(BUCKET)
        .key(key)
        .checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(got.content_type(), Some("audio/wav"));
    assert_eq!(got.checksum_crc32(), None);
    let bytes = got.body.collect().await.unwrap().into_bytes();
    assert!(bytes == [&first[..], b"end"].concat());
    let events = receive(&cloud, "events", 2).await;
    assert!(events[0].contains("ObjectCreated:CompleteMultipartUpload"));
    assert!(events[0].contains("\"size\":5242883"));

    let copy = s3.copy_object().bucket(BUCKET).key("incoming/p1/copy.wav");
    let copy = copy.copy_source(format!("{BUCKET}/{key}")).send().await;
    copy.unwrap();
    let events = receive(&cloud, "events", 2).await;
    assert!(events[0].contains("ObjectCreated:Copy"));

    // Aborted uploads leave nothing.
    let upload = s3.create_multipart_upload().bucket(BUCKET).key("b/x");
    let upload = upload.send().await.unwrap();
    s3.abort_multipart_upload()
        .bucket(BUCKET)
        .key("b/x")
        .upload_id(upload.upload_id().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(names_below(&directory.path().join("s3")).len(), 4);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn other_prefixes_are_not_announced_and_odd_keys_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let config = crate::common::config(directory.path());
    let longest = config.max_key_bytes();
    let cloud = stt_eval_local::cloud::Cloud::start(config).await.unwrap();
    let s3 = cloud.s3_client();
    put(&s3, "raw/x", b"1").await;
    put(&s3, &"k".repeat(longest), b"1").await;
    assert!(receive(&cloud, "events", 1).await.is_empty());
    let long = "k".repeat(longest + 1);
    for key in ["raw//x", "raw/../../x", "raw/x/below", "raw", long.as_str()] {
        let refused = s3.put_object().bucket(BUCKET).key(key);
        let refused = refused.body(b"2".to_vec().into()).send().await.unwrap_err();
        assert_eq!(
            refused.raw_response().unwrap().status().as_u16(),
            400,
            "{key}"
        );
    }
    cloud.shutdown().await.unwrap();
}
