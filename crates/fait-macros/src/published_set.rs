//! `#[derive(PublishedSet)]`: an enum of what is published.

use crate::args::Args;
use crate::problems::Problems;
use crate::set::{Kind, Set};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Path};

const KIND: Kind = Kind {
    derive: "PublishedSet",
    one: "one published type",
    example: "TicketsIssued",
};

/// `impl PublishedSet` and the conversions.
pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    let (owner, name) = ("#[published_set]", "published_set");
    let mut args = Args::of_attributes(owner, &["crate"], &input.attrs, name, &mut problems);
    let krate = args.krate(&mut problems);
    let set = Set::read(&KIND, input, &mut problems);
    let code = set.map(|set| code(&set, &krate));
    let errors = problems.into_tokens();
    quote!(#code #errors)
}

fn code(set: &Set, krate: &Path) -> TokenStream {
    let Set {
        name,
        variants,
        types,
        rest,
    } = set;
    let bus = quote!(#krate::bus);
    let error = quote!(#krate::reexport::serde_json::Error);
    let of = |ty: &syn::Type| quote_spanned!(ty.span()=> <#ty as #krate::bus::PublishedSet>);
    let sets: Vec<TokenStream> = types.iter().map(of).collect();
    let froms = set.froms();
    quote! {
        #[automatically_derived]
        impl #bus::PublishedSet for #name {
            fn encode(&self) -> ::core::result::Result<#bus::Outgoing, #error> {
                match self {
                    #(Self::#variants(one) => #sets::encode(one),)*
                    #rest
                }
            }
            fn defs() -> ::std::vec::Vec<#bus::PublishedDef> {
                let mut defs = ::std::vec::Vec::new();
                #(defs.extend(#sets::defs());)*
                defs
            }
        }
        #froms
    }
}
