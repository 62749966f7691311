//! Exports, and imports of exports.

use reqwest::Method;
use serde_json::Value;

use crate::{
    on_both,
    support::{
        Answer, Service,
        films::{any_movie, attributes_of, empty, fill, films, holds, ndjson},
        movie,
    },
};

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

async fn export(service: &Service, form: &str, query: &str) -> String {
    let answer =
        Answer::of(service.request(Method::GET, &format!("/movie{query}")).header("accept", form)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

/// Removes id, version and times from an export.
fn without_stored(form: &str, export: &str) -> String {
    if form == NDJSON {
        let rows = export.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        return ndjson(&rows.map(|row| attributes_of(&row)).collect::<Vec<_>>());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(export.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in reader.records() {
        writer.write_record(row.expect("a row").iter().skip(1).take(5)).expect("memory");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("UTF-8")
}

on_both! {
    async fn an_export_has_every_field_in_a_fixed_order(service: &Service) {
        service.add("Heat, \"Uncut\"", "DVD", 170, 1995, 5).await;
        service.add("Amélie", "VHS", 0, 2001, 1).await;
        let time = "2026-11-23T20:15:00.123Z";
        assert_eq!(
            export(service, CSV, "").await,
            format!(
                "id,title,movieFormat,length,releaseYear,rating,version,createdAt,updatedAt\n\
                 1,\"Heat, \"\"Uncut\"\"\",DVD,170,1995,5,1,{time},{time}\n2,Amélie,VHS,0,2001,1,1,{time},{time}\n"
            )
        );
        assert_eq!(
            export(service, NDJSON, "?sort=-rating&limit=1").await,
            format!(
                "{{\"id\":1,\"title\":\"Heat, \\\"Uncut\\\"\",\"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\
                 \"rating\":5,\"version\":1,\"createdAt\":\"{time}\",\"updatedAt\":\"{time}\"}}\n"
            )
        );
    }
}

on_both! {
    async fn an_export_takes_the_lists_filters_and_order(service: &Service) {
        fill(service, &films(1500)).await;
        for query in ["?movieFormat=DVD&sort=-title", "?q=alien&rating=2..4&sort=rating,-length", "?releaseYear=..1801"] {
            let list = service.get(&format!("/movie{query}")).await.json();
            let rows = export(service, NDJSON, query).await;
            let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(Value::from(rows), list, "{query}");
            let titles = without_stored(CSV, &export(service, CSV, query).await);
            let mut reader = csv::Reader::from_reader(titles.as_bytes());
            let titles: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
            assert_eq!(titles, service.titles(&format!("/movie{query}")).await, "{query}");
        }
        empty(service).await;
        assert_eq!(export(service, NDJSON, "").await, "");
        assert_eq!(export(service, CSV, "").await.lines().count(), 1);
    }
}

on_both! {
    async fn what_was_exported_imports_as_it_was(service: &Service) {
        let odd = ["\u{feff}x", "\"", "\"\"", "a,b;c\td".split('\t').next().unwrap(), "=1+1", "-", "#", "'", "\\", "x\u{200b}", "null", "NaN"];
        let odd: Vec<Value> = odd.iter().map(|title| movie(title, "DVD", 90, 2000, 3)).collect();
        let random = proptest::collection::vec(any_movie(), 0..30);
        let identity = async |movies: Vec<Value>| {
            for form in [CSV, NDJSON] {
                empty(service).await;
                fill(service, &movies).await;
                let first = export(service, form, "").await;
                let list = service.get("/movie").await.json();
                empty(service).await;
                let answer = service.import(form, "?onDuplicate=add", first.clone()).await;
                assert_eq!((answer.status, &answer.json()["created"]), (200, &movies.len().into()), "{answer:?}");
                let second = export(service, form, "").await;
                assert_eq!(without_stored(form, &second), without_stored(form, &first));
                let again = service.get("/movie").await.json();
                let attributes = |list: &Value| list.as_array().unwrap().iter().map(attributes_of).collect::<Vec<_>>();
                assert_eq!(attributes(&again), attributes(&list));
                assert_eq!(attributes(&again), movies.iter().map(attributes_of).collect::<Vec<_>>());
            }
        };
        identity(odd).await;
        holds(16, random, identity);
    }
}
