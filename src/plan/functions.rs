//! What Margay must know of MySQL's functions.

/// Aggregates, unless they have an OVER clause.
const AGGREGATES: [&str; 21] = [
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "count",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
    "max",
    "median",
    "min",
    "percentile_cont",
    "percentile_disc",
    "st_collect",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
];

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name) || name == "variance"
}

/// The value is a number, whatever the arguments.
pub(super) fn is_numeric(name: &str) -> bool {
    const NUMERIC: &str = "abs acos ascii asin atan atan2 avg bit_and bit_count bit_length bit_or \
        bit_xor ceil ceiling char_length character_length cos cot count crc32 cume_dist datediff \
        day dayofmonth dayofweek dayofyear degrees dense_rank exp field find_in_set floor hour \
        instr length ln locate log log10 log2 microsecond minute mod month ntile octet_length ord \
        percent_rank period_add period_diff pi position pow power quarter radians rand rank round \
        row_number second sign sin sqrt std stddev stddev_pop stddev_samp strcmp sum tan \
        time_to_sec timestampdiff to_days to_seconds truncate unix_timestamp var_pop var_samp \
        variance week weekday weekofyear year yearweek";
    NUMERIC.split_ascii_whitespace().any(|numeric| numeric == name)
}

/// Built-in functions whose value depends on their arguments alone.
const PURE: &str = "abs acos addtime aes_decrypt aes_encrypt any_value ascii asin atan atan2 bin \
    bin_to_uuid bit_count bit_length cast ceil ceiling char char_length character_length chr \
    coalesce coercibility collation compress concat concat_ws conv convert convert_tz cos cot \
    crc32 crc32c date date_add date_format date_sub datediff day dayname dayofmonth dayofweek \
    dayofyear decode_oracle degrees elt exp export_set extract extractvalue field find_in_set \
    floor format format_bytes format_pico_time from_base64 from_days from_unixtime geomcollection \
    geometrycollection get_format greatest grouping hex hour if ifnull inet6_aton inet6_ntoa \
    inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 \
    is_uuid isnull json_array json_array_append json_array_insert json_arrayagg json_compact \
    json_contains json_contains_path json_depth json_detailed json_equals json_exists \
    json_extract json_insert json_keys json_length json_loose json_merge json_merge_patch \
    json_merge_preserve json_normalize json_object json_overlaps json_pretty json_query \
    json_quote json_remove json_replace json_schema_valid json_search json_set json_storage_free \
    json_storage_size json_table json_type json_unquote json_valid json_value kdf last_day lcase \
    least left length lengthb linestring ln locate log log10 log2 lower lpad ltrim make_set \
    makedate maketime match mbrcontains mbrcoveredby mbrcovers mbrdisjoint mbrequals \
    mbrintersects mbroverlaps mbrtouches mbrwithin md5 microsecond mid minute mod month monthname \
    multilinestring multipoint multipolygon natural_sort_key nullif nvl nvl2 oct octet_length \
    old_password ord password period_add period_diff pi point polygon position pow power quarter \
    quote radians regexp_instr regexp_like regexp_replace regexp_substr repeat replace reverse \
    right round row rpad rtrim sec_to_time second sformat sha sha1 sha2 sign sin soundex space \
    sqrt st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer \
    st_buffer_strategy st_centroid st_contains st_convexhull st_crosses st_difference \
    st_dimension st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals \
    st_exteriorring st_geohash st_geomcollfromtext st_geometryfromtext st_geometryfromwkb \
    st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb \
    st_interiorringn st_intersection st_intersects st_isclosed st_isempty st_issimple st_isvalid \
    st_latfromgeohash st_latitude st_length st_linefromtext st_linefromwkb st_longfromgeohash \
    st_longitude st_makeenvelope st_numgeometries st_numinteriorrings st_numpoints st_overlaps \
    st_pointfromgeohash st_pointfromtext st_pointfromwkb st_pointn st_polyfromtext \
    st_polyfromwkb st_simplify st_srid st_startpoint st_swapxy st_symdifference st_touches \
    st_transform st_union st_validate st_within st_x st_y str_to_date strcmp subdate adddate \
    substr substring substring_index subtime tan time time_format time_to_sec timediff timestamp \
    timestampadd timestampdiff to_base64 to_char to_days to_seconds trim trim_oracle truncate \
    ucase uncompress uncompressed_length unhex updatexml upper uuid_to_bin validate_password_strength \
    value values week weekday weekofyear weight_string xor year yearweek \
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value \
    nth_value";

/// How a function that is not pure behaves if a statement runs on several shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Its value depends on the arguments alone.
    Pure,
    /// The time: a moment apart on each shard, but the same for all rows of one.
    Clock,
    /// A new value for each row.
    Random,
    /// Its value or effect belongs to one server or one connection.
    Server,
    /// Not a built-in function: it may read tables of its shard.
    Stored,
}

pub(super) fn nature(name: &str, args: usize) -> Nature {
    match name {
        "now" | "current_timestamp" | "localtime" | "localtimestamp" | "curdate" | "curtime"
        | "current_date" | "current_time" | "sysdate" | "utc_date" | "utc_time"
        | "utc_timestamp" => Nature::Clock,
        "unix_timestamp" if args == 0 => Nature::Clock,
        "unix_timestamp" => Nature::Pure,
        // With a seed, each shard would give the same sequence.
        "rand" if args > 0 => Nature::Server,
        "rand" | "uuid" | "uuid_short" | "uuid_v4" | "uuid_v7" | "sys_guid" | "random_bytes" => {
            Nature::Random
        }
        "benchmark"
        | "charset"
        | "connection_id"
        | "current_role"
        | "current_user"
        | "database"
        | "encode"
        | "decode"
        | "encrypt"
        | "des_encrypt"
        | "des_decrypt"
        | "found_rows"
        | "get_lock"
        | "gtid_subset"
        | "gtid_subtract"
        | "icu_version"
        | "is_free_lock"
        | "is_used_lock"
        | "last_insert_id"
        | "lastval"
        | "load_file"
        | "master_gtid_wait"
        | "master_pos_wait"
        | "name_const"
        | "nextval"
        | "ps_current_thread_id"
        | "ps_thread_id"
        | "release_all_locks"
        | "release_lock"
        | "roles_graphml"
        | "row_count"
        | "rownum"
        | "schema"
        | "session_user"
        | "setval"
        | "sleep"
        | "source_pos_wait"
        | "statement_digest"
        | "statement_digest_text"
        | "system_user"
        | "user"
        | "version"
        | "wait_for_executed_gtid_set"
        | "wait_until_sql_thread_after_gtids" => Nature::Server,
        _ if is_aggregate(name) || PURE.split_ascii_whitespace().any(|pure| pure == name) => {
            Nature::Pure
        }
        _ => Nature::Stored,
    }
}

/// The call has an effect or a value that only the primary of a session has.
pub(super) fn needs_primary(name: &str) -> bool {
    matches!(
        name,
        "get_lock"
            | "release_lock"
            | "release_all_locks"
            | "is_free_lock"
            | "is_used_lock"
            | "last_insert_id"
            | "nextval"
            | "lastval"
            | "setval"
            | "row_count"
            | "found_rows"
    ) || nature(name, 0) == Nature::Stored
}
