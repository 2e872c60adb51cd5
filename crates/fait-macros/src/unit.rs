//! A struct without fields is written as `{}`.
//!
//! serde writes a unit struct as `null`, which is no body of a command, and which no field could be
//! added to later.

use crate::data::{derive_missing, derived, derives, paths, values};
use crate::words::written;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Fields, Ident, ItemStruct, Path};

/// The derives above a struct and, for a unit, the code behind it.
pub(crate) fn derives_of(krate: &Path, record: &ItemStruct) -> (TokenStream, TokenStream) {
    if !matches!(record.fields, Fields::Unit) {
        return (derives(krate, &record.attrs), TokenStream::new());
    }
    let (serde, schemars) = paths(krate);
    let (serde_crate, schemars_crate) = (written(&serde), written(&schemars));
    let theirs = derived(&record.attrs);
    let missing = |name: &str| !theirs.iter().any(|t| t == name);
    let (name, title) = (&record.ident, record.ident.unraw().to_string());
    let docs = record.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let serialize = missing("Serialize").then(|| serialize(&serde, name));
    let deserialize = missing("Deserialize").then(|| deserialize(&serde, name));
    let schema = missing("JsonSchema").then(|| schema(&schemars, name));
    let code = quote! {
        const _: () = {
            #(#docs)*
            #[derive(#serde::Serialize, #serde::Deserialize, #schemars::JsonSchema)]
            #[serde(crate = #serde_crate, rename = #title)]
            #[schemars(crate = #schemars_crate)]
            struct Empty {}
            #serialize
            #deserialize
            #schema
        };
    };
    (derive_missing(values(), &record.attrs), code)
}

fn serialize(serde: &TokenStream, name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #serde::Serialize for #name {
            fn serialize<S: #serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                #serde::Serialize::serialize(&Empty {}, serializer)
            }
        }
    }
}

fn deserialize(serde: &TokenStream, name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl<'de> #serde::Deserialize<'de> for #name {
            fn deserialize<D: #serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                <Empty as #serde::Deserialize>::deserialize(deserializer).map(|Empty {}| #name)
            }
        }
    }
}

fn schema(schemars: &TokenStream, name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #schemars::JsonSchema for #name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                <Empty as #schemars::JsonSchema>::schema_name()
            }
            fn json_schema(generator: &mut #schemars::SchemaGenerator) -> #schemars::Schema {
                <Empty as #schemars::JsonSchema>::json_schema(generator)
            }
        }
    }
}
