"""The Maven groups of well-known artifacts whose archives don't say it.

Builds by Gradle, Ant and sbt put no `pom.properties` into an archive, and what their manifests say seldom is the
group. These are the names under which the artifacts are published. Facts as of 2026-07, from the publishers' own
coordinates.
"""

# Artifacts whose group has their own name (published before groups were reversed domain names).
_OWN_NAMES = (
    "antlr aopalliance asm avalon-framework axis backport-util-concurrent cglib classworlds commons-beanutils"
    " commons-chain commons-cli commons-codec commons-collections commons-configuration commons-dbcp commons-digester"
    " commons-discovery commons-el commons-fileupload commons-httpclient commons-io commons-jxpath commons-lang"
    " commons-logging commons-net commons-pool commons-validator concurrent dom4j freemarker jaxen jdom joda-time jstl"
    " junit log4j oro regexp stax velocity xalan xerces xmlpull xpp3 xstream"
)
_OWN_NAME = frozenset(_OWN_NAMES.split())

_EXACT = {
    artifact: group
    for group, artifacts in {
        "com.amazon.redshift": "redshift-jdbc42",
        "com.github.ben-manes.caffeine": "caffeine",
        "com.google.code.findbugs": "jsr305",
        "com.google.code.gson": "gson",
        "com.google.crypto.tink": "tink",
        "com.google.inject": "guice",
        "com.google.protobuf": "protobuf-java protobuf-java-util protobuf-kotlin protobuf-javalite",
        "com.google.re2j": "re2j",
        "com.h2database": "h2",
        "com.jayway.jsonpath": "json-path",
        "com.microsoft.sqlserver": "mssql-jdbc",
        "com.mysql": "mysql-connector-j",
        "com.oracle.database.jdbc": "ojdbc6 ojdbc8 ojdbc10 ojdbc11 ucp",
        "com.squareup.okio": "okio okio-jvm",
        "com.squareup.retrofit2": "retrofit",
        "com.thoughtworks.xstream": "xstream-hibernate",
        "dev.failsafe": "failsafe",
        "info.picocli": "picocli",
        "io.projectreactor": "reactor-core reactor-test reactor-tools",
        "io.projectreactor.kafka": "reactor-kafka",
        "io.reactivex": "rxjava-reactive-streams",
        "jakarta.activation": "jakarta.activation-api",
        "javax.activation": "activation",
        "javax.jdo": "jdo-api",
        "javax.servlet": "javax.servlet-api servlet-api",
        "javax.transaction": "jta transaction-api",
        "mysql": "mysql-connector-java",
        "io.github.oshai": "kotlin-logging kotlin-logging-jvm",
        "net.java.dev.jna": "jna jna-platform",
        "net.minidev": "json-smart accessors-smart",
        "net.sf.json-lib": "json-lib",
        "org.apache.ant": "ant ant-launcher ant-junit ant-nodeps",
        "org.apache.commons": (
            "commons-lang3 commons-text commons-compress commons-collections4 commons-configuration2 commons-csv"
            " commons-dbcp2 commons-email commons-exec commons-fileupload2-core commons-jexl commons-jexl3"
            " commons-math3 commons-pool2 commons-vfs2"
        ),
        "org.apache.derby": "derby derbyclient derbynet derbytools derbyshared",
        "org.apache.geronimo.specs": "geronimo-jms_1.1_spec geronimo-jta_1.1_spec",
        "org.apache.ivy": "ivy",
        "org.apache.poi": "poi poi-ooxml poi-scratchpad poi-ooxml-schemas poi-ooxml-lite poi-excelant",
        "org.apache.solr": "solr-core solr-solrj",
        "org.apache.thrift": "libthrift libfb303",
        "org.apache.tomcat": (
            "tomcat-api tomcat-catalina tomcat-coyote tomcat-dbcp tomcat-el-api tomcat-jasper tomcat-jasper-el"
            " tomcat tomcat-catalina-ant tomcat-catalina-ha tomcat-jdbc tomcat-jni tomcat-ssi tomcat-storeconfig"
            " tomcat-tribes tomcat-jsp-api tomcat-juli tomcat-servlet-api tomcat-util tomcat-util-scan"
            " tomcat-websocket tomcat-annotations-api"
        ),
        "org.apache.xmlbeans": "xmlbeans",
        "org.checkerframework": "checker-qual",
        "org.codehaus.jackson": "jackson-core-asl jackson-mapper-asl jackson-jaxrs jackson-xc",
        "org.codehaus.jettison": "jettison",
        "org.hamcrest": "hamcrest hamcrest-core hamcrest-library",
        "org.javassist": "javassist",
        "org.jdom": "jdom2",
        "org.jodd": "jodd-core",
        "org.json": "json",
        "org.lz4": "lz4-java",
        "org.objenesis": "objenesis",
        "org.opensearch": "opensearch opensearch-core opensearch-common opensearch-x-content",
        "org.ow2.asm": "asm-all asm-analysis asm-commons asm-tree asm-util",
        "org.postgresql": "postgresql",
        "org.quartz-scheduler": "quartz-jobs",
        "org.reactivestreams": "reactive-streams",
        "org.roaringbitmap": "RoaringBitmap",
        "org.rocksdb": "rocksdbjni",
        "org.tukaani": "xz",
        "org.xerial": "sqlite-jdbc",
        "org.xerial.snappy": "snappy-java",
        "org.yaml": "snakeyaml",
        "stax": "stax-api",
        "xerces": "xercesImpl",
        "xml-apis": "xml-apis xml-apis-ext",
    }.items()
    for artifact in artifacts.split()
}

# By the start of the artifact's name; the longest start counts. Others may publish under such names as well.
_STARTS = {
    "asm-": "org.ow2.asm",
    "bcjmail-": "org.bouncycastle",
    "bcmail-": "org.bouncycastle",
    "bcpg-": "org.bouncycastle",
    "bcpkix-": "org.bouncycastle",
    "bcprov-": "org.bouncycastle",
    "bctls-": "org.bouncycastle",
    "bcutil-": "org.bouncycastle",
    "elasticsearch": "org.elasticsearch",
    "elasticsearch-rest-": "org.elasticsearch.client",
    "groovy-": "org.codehaus.groovy",
    "grpc-": "io.grpc",
    "hibernate-": "org.hibernate",
    "hibernate-validator": "org.hibernate.validator",
    "junit-jupiter": "org.junit.jupiter",
    "junit-platform-": "org.junit.platform",
    "kafka-": "org.apache.kafka",
    "kafka_": "org.apache.kafka",
    "kotlin-": "org.jetbrains.kotlin",
    "kotlinx-": "org.jetbrains.kotlinx",
    "lucene-": "org.apache.lucene",
    "micrometer-": "io.micrometer",
    "mockito-": "org.mockito",
    "okhttp-": "com.squareup.okhttp3",
    "opentelemetry-": "io.opentelemetry",
    "opentelemetry-semconv": "io.opentelemetry.semconv",
    "plexus-": "org.codehaus.plexus",
    "reactor-netty": "io.projectreactor.netty",
    "scala-": "org.scala-lang",
    "scala-parallel-collections": "org.scala-lang.modules",
    "scala-parser-combinators": "org.scala-lang.modules",
    "scala-xml": "org.scala-lang.modules",
    "scala-collection-compat": "org.scala-lang.modules",
    "slf4j-": "org.slf4j",
    "spring-": "org.springframework",
    "spring-amqp": "org.springframework.amqp",
    "spring-batch-": "org.springframework.batch",
    "spring-boot": "org.springframework.boot",
    "spring-cloud-": "org.springframework.cloud",
    "spring-data-": "org.springframework.data",
    "spring-graphql": "org.springframework.graphql",
    "spring-hateoas": "org.springframework.hateoas",
    "spring-integration-": "org.springframework.integration",
    "spring-kafka": "org.springframework.kafka",
    "spring-ldap-": "org.springframework.ldap",
    "spring-plugin-": "org.springframework.plugin",
    "spring-rabbit": "org.springframework.amqp",
    "spring-retry": "org.springframework.retry",
    "spring-security-": "org.springframework.security",
    "spring-session-": "org.springframework.session",
    "spring-ws-": "org.springframework.ws",
    "spring-xml": "org.springframework.ws",
    "tomcat-embed-": "org.apache.tomcat.embed",
}
_LONGEST_FIRST = sorted(_STARTS, key=len, reverse=True)

# What the same artifact was called from another major version on: (artifact start, first major, group).
_RENAMED = (
    ("groovy", 4, "org.apache.groovy"),
    ("hibernate-core", 6, "org.hibernate.orm"),
    ("asm", 4, "org.ow2.asm"),
    ("rxjava", 3, "io.reactivex.rxjava3"),
    ("rxjava", 2, "io.reactivex.rxjava2"),
    ("rxjava", 0, "io.reactivex"),
    ("okhttp", 3, "com.squareup.okhttp3"),
    ("okhttp", 0, "com.squareup.okhttp"),
    ("groovy", 0, "org.codehaus.groovy"),
    ("xstream", 0, "com.thoughtworks.xstream"),
    ("quartz", 1, "org.quartz-scheduler"),
    ("annotations", 13, "org.jetbrains"),
    ("commons-math", 2, "org.apache.commons"),
    ("commons-math", 0, "commons-math"),
    ("hsqldb", 2, "org.hsqldb"),
    ("hsqldb", 0, "hsqldb"),
    ("velocity", 1, "org.apache.velocity"),
    ("freemarker", 2, "org.freemarker"),
    ("dom4j", 2, "org.dom4j"),
)


def known_group(artifact: str, version: str) -> str:
    """The group under which an artifact of exactly this name is published, "" where that is not known."""
    major = version.partition(".")[0]
    if major.isascii() and major.isdigit() and len(major) < 6:
        for name, first, group in _RENAMED:
            if artifact == name and int(major) >= first:
                return group
    if artifact in _OWN_NAME:
        return artifact
    return _EXACT.get(artifact, "")


def likely_group(artifact: str) -> str:
    """The group under which artifacts that are called like this one are published, "" where that is not known."""
    for start in _LONGEST_FIRST:
        if artifact.startswith(start):
            return _STARTS[start]
    return ""
