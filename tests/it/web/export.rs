//! Downloads of the list.

use reqwest::Method;

use super::{get_page, link, titles};
use crate::{
    on_both,
    support::{Answer, films},
};

const FORMS: [(&str, &str); 3] =
    [("csv", "text/csv"), ("ndjson", "application/x-ndjson"), ("json", "application/json")];

on_both! {
    async fn a_download_is_the_apis_export(service: &Service) {
        films::fill(service, &films::films(1500)).await;
        let viewer = service.session_of("viewer").await;
        for query in ["", "?movieFormat=DVD&sort=-title", "?q=alien&rating=2..4", "?q=zodaic", "?rating=1&length=1"] {
            for (ending, media_type) in FORMS {
                let exported = service.request(Method::GET, &format!("/movie{query}")).header("accept", media_type);
                let exported = Answer::of(exported).await;
                let download = service.request_in(&viewer, Method::GET, &format!("/export/films.{ending}{query}"));
                let download = Answer::of(download.header("accept", "text/html")).await;
                assert_eq!(download.status, 200, "{query}: {download:?}");
                assert_eq!(download.text, exported.text, "{query}");
                for header in ["content-type", "reelshelf-match"] {
                    assert_eq!(download.header(header), exported.header(header), "{query}");
                }
                let name = format!("attachment; filename=\"reelshelf-2026-11-23.{ending}\"");
                assert_eq!(download.header("content-disposition"), name);
            }
        }
        for (path, status) in
            [("/export/films.xml", 404), ("/export/csv", 404), ("/export/films.csv?limit=2", 400), ("/export/films.csv?rating=9", 400)]
        {
            service.get(path).await.problem(status);
        }
        let anonymous = Answer::of(service.anonymous(Method::GET, "/export/films.csv")).await;
        assert_eq!(anonymous.status, 303, "{anonymous:?}");
    }
}

on_both! {
    async fn the_collection_offers_what_it_shows_as_a_file(service: &Service) {
        films::fill(service, &films::films(30)).await;
        for (address, export) in [
            ("/", "/export/films.csv?sort=title"),
            ("/?q=alien&view=table&limit=3&sort=-rating", "/export/films.csv?q=alien&sort=-rating"),
            ("/?q=zodaic", "/export/films.csv?q=zodaic"),
        ] {
            let page = get_page(service, address).await;
            assert_eq!(link(&page, "CSV"), export);
            let file = service.get(export).await;
            let exported = csv::Reader::from_reader(file.text.as_bytes()).records().count();
            assert!(exported > 0 && exported >= titles(&page).len(), "{file:?}");
        }
    }
}
