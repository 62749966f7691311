//! The schemas of movies. Their JSON is defined by the domain types.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, Ref, RefOr, Schema,
        schema::{AdditionalProperties, Type},
    },
};

use super::schema::{Id, Length, Moment, MovieFormat, Rating, ReleaseYear, Title, Version};
use crate::domain::{Attributes, Movie, MoviePatch};

/// Defines the schema of an object with the given members, all of them required.
macro_rules! object {
    ($type:ty, $name:literal, $description:literal, $required:literal, $example:expr, { $($member:literal: $schema:ty,)* }) => {
        impl PartialSchema for $type {
            #[expect(deprecated, reason = "`example`, as the attributes of other schemas write it")]
            fn schema() -> RefOr<Schema> {
                let example: Option<Value> = $example;
                let mut object = ObjectBuilder::new()
                    .schema_type(Type::Object)
                    .description(Some($description))
                    .additional_properties(Some(AdditionalProperties::FreeForm(false)));
                $(
                    object = object.property($member, Ref::from_schema_name(<$schema as ToSchema>::name()));
                    if $required {
                        object = object.required($member);
                    }
                )*
                match example {
                    Some(example) => object.example(Some(example)).into(),
                    None => object.into(),
                }
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $(schemas.push((<$schema as ToSchema>::name().into_owned(), <$schema as PartialSchema>::schema()));)*
            }
        }
    };
}

object!(Movie, "Movie", "A movie.", true, None, {
    "id": Id,
    "title": Title,
    "movieFormat": MovieFormat,
    "length": Length,
    "releaseYear": ReleaseYear,
    "rating": Rating,
    "version": Version,
    "createdAt": Moment,
    "updatedAt": Moment,
});

object!(
    Attributes, "NewMovie", "A movie to be created.", true,
    Some(json!({"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5})),
    {
        "title": Title,
        "movieFormat": MovieFormat,
        "length": Length,
        "releaseYear": ReleaseYear,
        "rating": Rating,
    }
);

object!(
    MoviePatch, "MovieChanges", "The attributes of a movie to be updated.", false,
    Some(json!({"rating": 4})),
    {
        "title": Title,
        "movieFormat": MovieFormat,
        "length": Length,
        "releaseYear": ReleaseYear,
        "rating": Rating,
    }
);
