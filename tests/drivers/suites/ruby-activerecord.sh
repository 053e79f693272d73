# Ruby's mysql2 and ActiveRecord.
install() {
    packages ruby ruby-mysql2 ruby-activerecord && ruby -e 'require "active_record"; puts ActiveRecord.version' >"$WORK/version"
}

run() {
    seed
    report ruby "$PROGRAMS/active_record.rb"
}
