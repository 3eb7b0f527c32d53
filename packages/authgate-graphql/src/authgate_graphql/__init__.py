"""The authgate gate for GraphQL.

The package is empty for now. It will hold two modules and nothing at top level: `authgate_graphql.strawberry`
(a permission class, a field extension and a schema extension) and `authgate_graphql.graphene` (resolver
decorators, a middleware and a context class). The two libraries need different versions of graphql-core, so
one environment installs one of the extras, never both.
"""
