# Go's GORM.
install() {
    cp "$PROGRAMS/gorm/main.go" "$WORK/" && cd "$WORK" || return
    [[ -e go.mod ]] || go mod init matrix
    go get gorm.io/gorm@v1.31.2 gorm.io/driver/mysql@v1.6.0 && go build -o program . && echo v1.31.2 >version
}

run() {
    report "$WORK/program"
}
