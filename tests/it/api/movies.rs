//! Create, read, change, delete.

use serde_json::json;

use crate::{on_both, support::movie};

on_both! {
    async fn a_movie_is_created_read_changed_and_deleted(service: &Service) {
        let created = service.post("/movie", &movie("  Heat ", "DVD", 170, 1995, 5)).await;
        assert_eq!(created.status, 201);
        assert_eq!(created.header("location"), "/movie/1");
        assert_eq!(created.header("etag"), "\"1\"");
        let expected = json!({
            "id": 1, "title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5,
            "version": 1, "createdAt": "2026-11-23T20:15:00.123Z", "updatedAt": "2026-11-23T20:15:00.123Z",
        });
        assert_eq!(created.json(), expected);
        assert_eq!(service.get("/movie/1").await.json(), expected);

        service.pass_millis(1000);
        let changed = service.patch("/movie/1", &json!({"rating": 4})).await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.header("etag"), "\"2\"");
        assert_eq!(changed.json()["rating"], 4);
        assert_eq!(changed.json()["updatedAt"], "2026-11-23T20:15:01.123Z");

        assert_eq!(service.delete("/movie/1").await.status, 204);
        service.get("/movie/1").await.problem(404);
        service.delete("/movie/1").await.problem(404);
        assert_eq!(service.add("Alien", "VHS", 117, 1979, 5).await["id"], 2, "no id is used twice");
    }
}
