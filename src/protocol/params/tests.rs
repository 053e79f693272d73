use super::*;

const NONE: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41;
const EXECUTE: Execute = Execute { statement: 5, flags: 0 };
const HEAD: &[u8] = b"\x17\x05\0\0\0\0\x01\0\0\0";

fn parse(body: &[u8], count: usize) -> Result<Vec<Param>> {
    let payload = Bytes::from([HEAD, body].concat());
    parse_execute(&payload, &Bound { count, types: &[], long: &BTreeMap::new() }, NONE)
}

/// One parameter of this type and these bytes decodes as expected, and is written as it came.
fn check(ty: ColumnType, unsigned: bool, raw: &[u8], expect: Scalar<'_>) {
    let flag = if unsigned { 0x80 } else { 0 };
    let body = [&[0, 1, u8::from(ty), flag], raw].concat();
    let params = parse(&body, 1).unwrap();
    assert_eq!(params[0].param_type(), ParamType { ty, unsigned });
    assert_eq!(params[0].scalar().unwrap(), expect);
    let mut out = BytesMut::new();
    put_execute(&mut out, EXECUTE, &params, &[0]).unwrap();
    assert_eq!(out, [HEAD, &body].concat());
}

#[test]
fn numbers() {
    use ColumnType as T;
    check(T::MYSQL_TYPE_TINY, false, &[0xff], Scalar::Int(-1));
    check(T::MYSQL_TYPE_TINY, true, &[0xff], Scalar::UInt(255));
    check(T::MYSQL_TYPE_SHORT, false, &[0, 0x80], Scalar::Int(-32768));
    check(T::MYSQL_TYPE_YEAR, true, &[0xe8, 7], Scalar::UInt(2024));
    check(T::MYSQL_TYPE_LONG, false, &[0xfe, 255, 255, 255], Scalar::Int(-2));
    check(T::MYSQL_TYPE_LONG, true, &[0xfe, 255, 255, 255], Scalar::UInt(0xffff_fffe));
    check(T::MYSQL_TYPE_LONGLONG, false, &[255; 8], Scalar::Int(-1));
    check(T::MYSQL_TYPE_LONGLONG, true, &[255; 8], Scalar::UInt(u64::MAX));
    check(T::MYSQL_TYPE_FLOAT, false, &1.5f32.to_le_bytes(), Scalar::Float(1.5));
    check(T::MYSQL_TYPE_DOUBLE, false, &(-0.1f64).to_le_bytes(), Scalar::Double(-0.1));
}

#[test]
fn strings() {
    use ColumnType as T;
    check(T::MYSQL_TYPE_VAR_STRING, false, b"\x03abc", Scalar::Bytes(b"abc"));
    check(T::MYSQL_TYPE_NEWDECIMAL, false, b"\x041.50", Scalar::Bytes(b"1.50"));
    check(T::MYSQL_TYPE_BLOB, false, b"\xfc\x02\0ab", Scalar::Bytes(b"ab"));
    check(T::MYSQL_TYPE_STRING, false, b"\0", Scalar::Bytes(b""));
}

#[test]
fn dates_and_times() {
    use ColumnType as T;
    let date = |hour, minute, second, micros| Scalar::Date {
        year: 2024,
        month: 2,
        day: 29,
        hour,
        minute,
        second,
        micros,
    };
    check(T::MYSQL_TYPE_DATE, false, b"\x04\xe8\x07\x02\x1d", date(0, 0, 0, 0));
    check(T::MYSQL_TYPE_DATETIME, false, b"\x07\xe8\x07\x02\x1d\x01\x02\x03", date(1, 2, 3, 0));
    check(
        T::MYSQL_TYPE_TIMESTAMP,
        false,
        b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x04\0\0\0",
        date(1, 2, 3, 4),
    );
    let zero = Scalar::Date { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, micros: 0 };
    check(T::MYSQL_TYPE_DATETIME, false, b"\0", zero);
    check(
        T::MYSQL_TYPE_TIME,
        false,
        b"\x0c\x01\x02\0\0\0\x03\x04\x05\x06\0\0\0",
        Scalar::Time { negative: true, days: 2, hours: 3, minutes: 4, seconds: 5, micros: 6 },
    );
}

#[test]
fn nulls_and_picks() {
    // 7, NULL, 'ab'
    let body = b"\x02\x01\x03\0\xfd\0\xfd\0\x07\0\0\0\x02ab";
    let params = parse(body, 3).unwrap();
    assert_eq!(params[1].scalar().unwrap(), Scalar::Null);
    let mut out = BytesMut::new();
    put_execute(&mut out, EXECUTE, &params, &[2, 1, 2]).unwrap();
    assert_eq!(out, [HEAD, b"\x02\x01\xfd\0\xfd\0\xfd\0\x02ab\x02ab"].concat());
    out.clear();
    put_execute(&mut out, EXECUTE, &params, &[]).unwrap();
    assert_eq!(out, HEAD);
    assert!(put_execute(&mut out, EXECUTE, &params, &[3]).is_err());
    assert_eq!(parse(b"", 0).unwrap(), []);
}

#[test]
fn long_data_takes_the_place_of_a_value() {
    let long = BTreeMap::from([(0, Bytes::from_static(b"long"))]);
    let payload = Bytes::from([HEAD, b"\x01\x01\xfc\0\x01\0\x09"].concat());
    let bound = Bound { count: 2, types: &[], long: &long };
    let params = parse_execute(&payload, &bound, NONE).unwrap();
    assert_eq!(params[0].scalar().unwrap(), Scalar::Bytes(b"long"));
    assert_eq!(params[1].scalar().unwrap(), Scalar::Int(9));
    let mut out = BytesMut::new();
    put_execute(&mut out, EXECUTE, &params, &[0, 1]).unwrap();
    assert_eq!(out, [HEAD, b"\0\x01\xfc\0\x01\0\x04long\x09"].concat());
}

#[test]
fn types_of_the_last_execution_hold_on() {
    let types = [ParamType { ty: ColumnType::MYSQL_TYPE_TINY, unsigned: false }];
    let payload = Bytes::from([HEAD, b"\0\0\x07"].concat());
    let bound = Bound { count: 1, types: &types, long: &BTreeMap::new() };
    let params = parse_execute(&payload, &bound, NONE).unwrap();
    assert_eq!(params[0].scalar().unwrap(), Scalar::Int(7));
    let error = parse_execute(&payload, &Bound { types: &[], ..bound }, NONE).unwrap_err();
    assert_eq!(error.message(), "a statement was executed without the types of its parameters");
}

#[test]
fn query_attributes_are_dropped() {
    let capabilities = CapabilityFlags::CLIENT_QUERY_ATTRIBUTES;
    let head = b"\x17\x05\0\0\0\x08\x01\0\0\0";
    let bound = Bound { count: 1, types: &[], long: &BTreeMap::new() };
    let check = |count: usize, body: &[u8], expect: &[Scalar<'_>]| {
        let payload = Bytes::from([head, body].concat());
        let params = parse_execute(&payload, &Bound { count, ..bound }, capabilities).unwrap();
        let scalars: Vec<_> = params.iter().map(|param| param.scalar().unwrap()).collect();
        assert_eq!(scalars, expect);
    };
    check(1, b"\x02\0\x01\x01\0\0\xfe\0\x05trace\x07\x03abc", &[Scalar::Int(7)]);
    check(0, b"\x01\0\x01\xfe\0\x05trace\x03abc", &[]);
    check(0, b"\0", &[]);
    let unflagged = Bytes::from([HEAD, b"\x01\0\x01\x01\0\0\x07"].concat());
    let params = parse_execute(&unflagged, &bound, capabilities).unwrap();
    assert_eq!(params[0].scalar().unwrap(), Scalar::Int(7));
    let few = Bytes::from([&head[..], b"\0"].concat());
    let error = parse_execute(&few, &bound, capabilities).unwrap_err();
    assert_eq!(error.message(), "0 parameters sent to a statement of 1");
}

#[test]
fn broken_parameters_are_refused() {
    let check = |body: &[u8], expect: &str| {
        assert_eq!(parse(body, 1).unwrap_err().message(), expect);
    };
    check(b"", "malformed packet: 1 bytes expected, 0 left");
    check(b"\0\x01\x03\0\x07", "malformed packet: 4 bytes expected, 1 left");
    check(b"\0\x01\xf4\0\x07", "unknown type code 244");
    check(b"\0\x01\x0e\0\x07", "type code 14 is not used on the wire");
    let odd = parse(b"\0\x01\x0a\0\x03abc", 1).unwrap();
    assert!(odd[0].scalar().is_err());
}
