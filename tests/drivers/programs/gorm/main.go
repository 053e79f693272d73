// Go's GORM over sharded tables: migration, creation, queries, associations, transactions, errors.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type Person struct {
	ID      uint64 `gorm:"primaryKey"`
	Name    string `gorm:"size:100;not null;index"`
	Country *string `gorm:"type:char(2)"`
	Balance float64
	Born    time.Time
	Orders  []Order `gorm:"foreignKey:PersonID;constraint:false"`
}

func (Person) TableName() string { return "people" }

type Order struct {
	ID       uint64 `gorm:"primaryKey"`
	PersonID uint64 `gorm:"not null"`
	Total    int
}

func say(name string, values ...any) {
	text, err := json.Marshal(values)
	fmt.Println(name, string(text), err)
}

func open(prepare bool) *gorm.DB {
	dsn := fmt.Sprintf("%s:%s@tcp(%s:%s)/shop?parseTime=true&loc=UTC&charset=utf8mb4", os.Getenv("USER"), os.Getenv("PASSWORD"), os.Getenv("HOST"), os.Getenv("PORT"))
	db, err := gorm.Open(mysql.Open(dsn), &gorm.Config{PrepareStmt: prepare, TranslateError: true, Logger: logger.Discard, DisableForeignKeyConstraintWhenMigrating: true})
	if err != nil {
		panic(err)
	}
	return db
}

func models(db *gorm.DB) {
	db.Migrator().DropTable("orders", "people")
	for range 2 {
		say("migrate", db.AutoMigrate(&Person{}, &Order{}))
	}
	countries := []string{"de", "fr", "jp"}
	var people []Person
	for i := range 30 {
		people = append(people, Person{ID: uint64(i + 1), Name: fmt.Sprintf("person %d", i), Country: &countries[i%3], Balance: float64(i) / 4,
			Born: time.Date(2000, 1, i+1, 0, 0, 0, 0, time.UTC), Orders: []Order{{ID: uint64(i + 1), Total: i}, {ID: uint64(i + 101), Total: 2 * i}}})
	}
	result := db.CreateInBatches(&people, 7)
	say("created", result.RowsAffected, result.Error)
	var one Person
	say("one", db.Preload("Orders", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).First(&one, 7).Error, one)
	var list []Person
	say("list", db.Where("name LIKE ?", "person 1%").Order("name").Limit(4).Offset(2).Find(&list).RowsAffected, list)
	var groups []struct {
		Country string
		N       int
		S       float64
	}
	db.Model(&Person{}).Select("country, COUNT(*) AS n, SUM(balance) AS s").Group("country").Having("n > ?", 1).Order("country").Scan(&groups)
	say("groups", groups)
	var totals []int
	db.Model(&Order{}).Joins("JOIN people ON people.id = orders.person_id").Where("people.country = ?", "fr").Order("orders.id").Pluck("orders.total", &totals)
	say("joined", totals)
	var count int64
	db.Model(&Person{}).Where("id IN (?)", db.Model(&Order{}).Select("person_id").Where("total > ?", 20)).Count(&count)
	say("inside", count)
	say("update", db.Model(&Person{}).Where("country = ?", "de").Updates(map[string]any{"balance": gorm.Expr("balance * ?", 2)}).RowsAffected)
	one.Name = "saved"
	say("save", db.Omit("Orders").Save(&one).RowsAffected)
	upsert := Person{ID: 8, Name: "upserted", Born: one.Born}
	say("upsert", db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&upsert).RowsAffected)
	made := []Person{{Name: "made", Born: one.Born}, {Name: "made too", Born: one.Born}}
	db.Create(&made)
	say("made", made[1].ID-made[0].ID, made[0].ID > 30)
	say("delete", db.Delete(&Person{}, []int{1, 2, 3}).RowsAffected)
	rows, _ := db.Model(&Person{}).Select("id").Where("id <= ?", 30).Order("id").Rows()
	var sum uint64
	for rows.Next() {
		var id uint64
		rows.Scan(&id)
		sum += id
	}
	say("rows", sum, rows.Close())
}

func transactions(db *gorm.DB) {
	born := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	err := db.Transaction(func(tx *gorm.DB) error {
		tx.Create(&Person{ID: 500, Name: "gone", Born: born})
		tx.Transaction(func(inner *gorm.DB) error {
			inner.Delete(&Person{}, 5)
			return errors.New("inner")
		})
		var count int64
		tx.Model(&Person{}).Where("id IN ?", []int{5, 500}).Count(&count)
		say("inside", count)
		return errors.New("outer")
	})
	var count int64
	db.Model(&Person{}).Where("id IN ?", []int{5, 500}).Count(&count)
	say("after", err.Error(), count)
	tx := db.Begin()
	var locked Person
	say("locked", tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&locked, 6).Error, locked.Name)
	say("commit", tx.Commit().Error)
}

func main() {
	for _, prepare := range []bool{false, true} {
		db := open(prepare)
		models(db)
		transactions(db)
		err := db.Create(&Person{ID: 5, Name: "twice"}).Error
		say("duplicate", errors.Is(err, gorm.ErrDuplicatedKey))
		say("missing", db.First(&Person{}, 12345).Error.Error())
		say("table", db.Table("nowhere").Take(&map[string]any{}).Error)
		types, _ := db.Migrator().ColumnTypes("people")
		for _, column := range types {
			kind, _ := column.ColumnType()
			nullable, _ := column.Nullable()
			primary, _ := column.PrimaryKey()
			say("column", column.Name(), kind, nullable, primary)
		}
		say("migrator", db.Migrator().HasTable("people"), db.Migrator().HasTable("nowhere"), db.Migrator().HasIndex(&Person{}, "Name"), db.Migrator().CurrentDatabase())
	}
}
