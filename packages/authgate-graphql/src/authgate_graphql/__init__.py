"""The authgate gate for GraphQL.

Nothing is at top level: import from `authgate_graphql.strawberry` or `authgate_graphql.graphene`. The two libraries
need different versions of graphql-core, so one environment installs one of the extras, never both.
"""
