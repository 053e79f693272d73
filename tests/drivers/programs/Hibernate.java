// Java's Hibernate over sharded tables: schema, entities, queries, batches, transactions, schema validation.
import jakarta.persistence.*;
import java.math.BigDecimal;
import java.time.LocalDateTime;
import java.util.*;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

public class Hibernate {
    @Entity(name = "Person")
    @Table(name = "people", indexes = @Index(name = "by_name", columnList = "name"))
    public static class Person {
        @Id @GeneratedValue(strategy = GenerationType.IDENTITY) public Long id;
        @Column(length = 100, nullable = false) public String name;
        @Column(columnDefinition = "char(2)") public String country;
        @Column(precision = 12, scale = 2) public BigDecimal balance;
        public LocalDateTime born;
    }

    @Entity(name = "Purchase")
    @Table(name = "kinds")
    public static class Purchase {
        @Id public Long id;
        public long personId;
        @Column(columnDefinition = "json") public String extra;
        public boolean paid;
        @Version public int version;
    }

    static void say(String name, Object value) {
        System.out.println(name + " " + value);
    }

    static SessionFactory factory(String schema) {
        Properties properties = new Properties();
        properties.setProperty("hibernate.connection.url", System.getenv("URL"));
        properties.setProperty("hibernate.connection.username", System.getenv("USER"));
        properties.setProperty("hibernate.connection.password", System.getenv("PASSWORD"));
        properties.setProperty("hibernate.hbm2ddl.auto", schema);
        properties.setProperty("hibernate.jdbc.batch_size", "10");
        return new Configuration().addProperties(properties).addAnnotatedClass(Person.class).addAnnotatedClass(Purchase.class).buildSessionFactory();
    }

    static void fill(SessionFactory factory) {
        factory.inTransaction(session -> {
            Long first = null;
            for (int i = 0; i < 30; i++) {
                Person person = new Person();
                person.name = "person " + i;
                person.country = List.of("de", "fr", "jp").get(i % 3);
                person.balance = new BigDecimal(i).movePointLeft(1);
                person.born = LocalDateTime.of(2000, 1, i + 1, 1, 2, 3);
                session.persist(person);
                if (first == null) first = person.id;
                say("id", person.id - first);
                Purchase purchase = new Purchase();
                purchase.id = i + 1L;
                purchase.personId = i;
                purchase.extra = "{\"i\": " + i + "}";
                purchase.paid = i % 2 == 0;
                session.persist(purchase);
            }
        });
    }

    static void read(Session session) {
        for (Object[] row : session.createQuery("select p.country, count(p), sum(p.balance), max(p.born) from Person p group by p.country order by p.country", Object[].class).list())
            say("group", Arrays.toString(row));
        for (Person person : session.createQuery("from Person p where p.name like :name order by p.name", Person.class).setParameter("name", "person 1%").setFirstResult(2).setMaxResults(3).list())
            say("person", person.name + " " + person.country + " " + person.balance + " " + person.born);
        say("inside", session.createQuery("select count(p) from Person p where exists (select 1 from Purchase q where q.personId = 3 and p.name = 'person 3')", Long.class).getSingleResult());
        for (Object row : session.createNativeQuery("SELECT name FROM people WHERE balance > :low ORDER BY id LIMIT 2", String.class).setParameter("low", 2).list())
            say("native", row);
        say("purchase", session.find(Purchase.class, 5L).extra + session.find(Purchase.class, 5L).paid);
    }

    public static void main(String[] arguments) {
        try (SessionFactory factory = factory("create")) {
            fill(factory);
            factory.inSession(Hibernate::read);
            factory.inTransaction(session -> {
                say("update", session.createMutationQuery("update Person p set p.balance = p.balance + 1 where p.country = 'de'").executeUpdate());
                Purchase purchase = session.find(Purchase.class, 4L, LockModeType.PESSIMISTIC_WRITE);
                purchase.paid = true;
                purchase.extra = null;
            });
            try {
                factory.inTransaction(session -> {
                    session.createMutationQuery("delete from Person").executeUpdate();
                    say("deleted", session.createQuery("select count(*) from Person", Long.class).getSingleResult());
                    throw new IllegalStateException("rolled back");
                });
            } catch (IllegalStateException e) {
                say("failed", e.getMessage());
            }
            factory.inSession(session -> {
                say("version", session.find(Purchase.class, 4L).version);
                say("sum", session.createQuery("select sum(p.balance), count(p) from Person p", Object[].class).getSingleResult()[0]);
            });
            try {
                factory.inTransaction(session -> {
                    Purchase purchase = new Purchase();
                    purchase.id = 4L;
                    session.persist(purchase);
                });
            } catch (RuntimeException e) {
                say("duplicate", e.getClass().getSimpleName());
            }
        }
        try (SessionFactory factory = factory("validate")) {
            say("validated", factory.isOpen());
        }
        try (SessionFactory factory = factory("update")) {
            factory.inSession(session -> say("updated", session.createQuery("select count(p) from Person p", Long.class).getSingleResult()));
        }
    }
}
