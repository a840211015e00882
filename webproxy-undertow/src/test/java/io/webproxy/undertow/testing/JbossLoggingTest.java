package io.webproxy.undertow.testing;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Undertow and XNIO log through JBoss Logging: the check for what tests leave behind sees that too. */
@ExtendWith(LeakCheck.class)
class JbossLoggingTest {
    @Test
    @ExpectedLog(logger = "demo.jboss", contains = "broken")
    void errorIsSeen() {
        Logger.getLogger("demo.jboss").error("broken");
    }
}
