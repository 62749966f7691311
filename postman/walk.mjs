// The life of a film, step by step: which operation of the description, what is sent, and what must come.
// Scripts are written into the collection as they stand here; `pm` is Postman's.
/* global pm */

const FILM = {
  title: "The Postman Always Rings Twice",
  movieFormat: "DVD",
  length: 113,
  releaseYear: 1946,
  rating: 5,
};

export const walk = {
  name: "The life of a film",
  description:
    "Run this folder from top to bottom. It takes an editor's or owner's name and password from the " +
    "environment, and leaves the collection as it was, with the film's history.",
  steps: [
    { name: "Is the service ready?", operation: "getReadiness", status: 200, noauth: true },
    {
      name: "Who am I, with name and password?",
      operation: "getMe",
      status: 200,
      test() {
        pm.test("I may change films", () => pm.expect(pm.response.json().role).to.be.oneOf(["editor", "owner"]));
      },
    },
    {
      name: "Make a token for the rest of the walk",
      operation: "createToken",
      status: 201,
      body: { name: "Postman", role: "editor" },
      test() {
        const made = pm.response.json();
        pm.test("the token is shown, this once", () => pm.expect(made.token).to.match(/^rsh_/));
        pm.environment.set("token", made.token);
        pm.collectionVariables.set("tokenId", made.id);
      },
    },
    {
      name: "Create a film",
      operation: "createMovie",
      status: 201,
      token: true,
      header: { "Idempotency-Key": "{{key}}" },
      body: FILM,
      before() {
        pm.collectionVariables.set("key", pm.variables.replaceIn("{{$guid}}"));
      },
      test() {
        const film = pm.response.json();
        pm.test("it is in its first version", () => pm.expect(film.version).to.eql(1));
        pm.test("Location leads to it", () => pm.response.to.have.header("Location", `/movie/${film.id}`));
        pm.collectionVariables.set("film", film.id);
        pm.collectionVariables.set("first", pm.response.headers.get("ETag"));
      },
    },
    {
      name: "Send it again, as after a broken connection",
      operation: "createMovie",
      status: 201,
      token: true,
      header: { "Idempotency-Key": "{{key}}" },
      body: FILM,
      test() {
        pm.test("it is the same film", () => pm.expect(pm.response.json().id).to.eql(pm.variables.get("film")));
      },
    },
    {
      name: "A film that breaks two rules is refused",
      operation: "createMovie",
      status: 422,
      token: true,
      body: { ...FILM, title: "", rating: 9 },
      test() {
        pm.test("both are named", () => {
          pm.expect(pm.response.json().errors.map((error) => error.pointer)).to.have.members(["/title", "/rating"]);
        });
      },
    },
    {
      name: "Read it",
      operation: "getMovie",
      status: 200,
      token: true,
      path: { id: "{{film}}" },
      test() {
        pm.test("it is as it was sent", () => {
          pm.expect(pm.response.json()).to.include({ title: "The Postman Always Rings Twice", rating: 5 });
        });
      },
    },
    {
      name: "Read it unless it is unchanged",
      operation: "getMovie",
      status: 304,
      token: true,
      path: { id: "{{film}}" },
      header: { "If-None-Match": "{{first}}" },
    },
    {
      name: "List the best films, a page of ten",
      operation: "listMovies",
      status: 200,
      token: true,
      query: { sort: "-rating,title", limit: "10", total: "true" },
      test() {
        const films = pm.response.json();
        pm.test("no more than ten", () => pm.expect(films.length).to.be.within(1, 10));
        pm.test("best first", () => {
          const ratings = films.map((film) => film.rating);
          pm.expect(ratings).to.eql([...ratings].sort().reverse());
        });
        pm.test("of how many, says X-Total-Count", () => {
          pm.expect(Number(pm.response.headers.get("X-Total-Count"))).to.be.at.least(films.length);
        });
      },
    },
    {
      name: "Search for it",
      operation: "listMovies",
      status: 200,
      token: true,
      query: { q: "postman twi", releaseYear: "1940..1949" },
      test() {
        pm.test("it is found", () => {
          pm.expect(pm.response.json().map((film) => film.id)).to.include(pm.variables.get("film"));
        });
        pm.test("as it was spelt", () => pm.response.to.have.header("Reelshelf-Match", "exact"));
      },
    },
    {
      name: "Search with a typing error",
      operation: "listMovies",
      status: 200,
      token: true,
      query: { q: "psotman" },
      test() {
        pm.test("it is found all the same", () => {
          pm.expect(pm.response.json().map((film) => film.id)).to.include(pm.variables.get("film"));
        });
        pm.test("and the answer says so", () => pm.response.to.have.header("Reelshelf-Match", "fuzzy"));
      },
    },
    {
      name: "Change its rating, if it is still the first version",
      operation: "updateMovie",
      status: 200,
      token: true,
      path: { id: "{{film}}" },
      header: { "If-Match": "{{first}}" },
      body: { rating: 4 },
      test() {
        pm.test("it is in its second version", () => {
          pm.expect(pm.response.json()).to.include({ rating: 4, version: 2, length: 113 });
        });
      },
    },
    {
      name: "The same from somebody who has not seen that",
      operation: "updateMovie",
      status: 412,
      token: true,
      path: { id: "{{film}}" },
      header: { "If-Match": "{{first}}" },
      body: { rating: 1 },
      test() {
        pm.test("ETag has the present version", () => pm.response.to.have.header("ETag", '"2"'));
      },
    },
    {
      name: "Its history",
      operation: "listMovieChanges",
      status: 200,
      token: true,
      path: { id: "{{film}}" },
      test() {
        const changes = pm.response.json();
        pm.test("the update, then the creation", () => {
          pm.expect(changes.map((change) => change.kind)).to.eql(["update", "create"]);
        });
        pm.collectionVariables.set("change", changes[0].id);
      },
    },
    {
      name: "Undo the change",
      operation: "undoChange",
      status: 200,
      token: true,
      path: { change: "{{change}}" },
      test() {
        pm.test("that is a change itself", () => {
          pm.expect(pm.response.json()).to.include({ kind: "undo", undoes: pm.variables.get("change") });
        });
      },
    },
    {
      name: "Undo it twice",
      operation: "undoChange",
      status: 409,
      token: true,
      path: { change: "{{change}}" },
    },
    {
      name: "Change it in a batch, all or nothing",
      operation: "batchMovies",
      status: 200,
      token: true,
      body: '{"operations": [{"op": "update", "id": {{film}}, "version": 3, "changes": {"movieFormat": "VHS"}}]}',
      test() {
        const [{ movie }] = pm.response.json().results;
        pm.test("a tape, with the rating of before", () => {
          pm.expect(movie).to.include({ movieFormat: "VHS", rating: 5, version: 4 });
        });
      },
    },
    {
      name: "Count the tapes",
      operation: "getStats",
      status: 200,
      token: true,
      query: { movieFormat: "VHS" },
      test() {
        pm.test("there is one at least", () => pm.expect(pm.response.json().movies).to.be.at.least(1));
      },
    },
    {
      name: "Export the tapes",
      operation: "listMovies",
      status: 200,
      token: true,
      accept: "text/csv",
      query: { movieFormat: "VHS" },
      test() {
        pm.test("it is a line of the file", () => {
          pm.expect(pm.response.text()).to.include("The Postman Always Rings Twice,VHS,113,1946,5");
        });
      },
    },
    {
      name: "Try an import",
      operation: "createMovie",
      status: 200,
      token: true,
      type: "text/csv",
      query: { dryRun: "true", onError: "skip" },
      body: "title,movieFormat,length,releaseYear,rating\nStalker,VHS,162,1979,5\nPersona,Blu-ray,83,1966,4\n",
      test() {
        pm.test("one row of two would do", () => {
          pm.expect(pm.response.json()).to.include({ read: 2, failed: 1, dryRun: true });
        });
      },
    },
    {
      name: "Delete it",
      operation: "deleteMovie",
      status: 204,
      token: true,
      path: { id: "{{film}}" },
      header: { "If-Match": '"4"' },
    },
    {
      name: "It is gone",
      operation: "getMovie",
      status: 404,
      token: true,
      path: { id: "{{film}}" },
      test() {
        pm.test("a problem document says so", () => {
          pm.response.to.have.header("Content-Type", "application/problem+json");
          pm.expect(pm.response.json().status).to.eql(404);
        });
      },
    },
    {
      name: "Its history is not",
      operation: "listMovieChanges",
      status: 200,
      token: true,
      path: { id: "{{film}}" },
      query: { limit: "1" },
      test() {
        const [last] = pm.response.json();
        pm.test("the deletion comes first", () => pm.expect(last.kind).to.eql("delete"));
        pm.collectionVariables.set("change", last.id);
      },
    },
    {
      name: "Undo the deletion",
      operation: "undoChange",
      status: 200,
      token: true,
      path: { change: "{{change}}" },
    },
    {
      name: "It is back under its number",
      operation: "getMovie",
      status: 200,
      token: true,
      path: { id: "{{film}}" },
      test() {
        pm.test("as it was", () => pm.expect(pm.response.json()).to.include({ movieFormat: "VHS", rating: 5 }));
      },
    },
    { name: "Delete it for good", operation: "deleteMovie", status: 204, token: true, path: { id: "{{film}}" } },
    { name: "Revoke the token", operation: "revokeToken", status: 204, token: true, path: { id: "{{tokenId}}" } },
    {
      name: "It opens nothing any more",
      operation: "getMe",
      status: 401,
      token: true,
      test() {
        pm.environment.set("token", "");
      },
    },
  ],
};
