package embedded;

import io.webproxy.ProxyServer;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A Spring Boot application that exposes itself: the proxy starts when the application is ready, and closes with it. */
@SpringBootApplication
@RestController
public class App implements DisposableBean {
    private final Environment environment;
    private ProxyServer proxy;

    App(Environment environment) {
        this.environment = environment;
    }

    public static void main(String[] args) {
        SpringApplication.run(App.class, args);
    }

    @GetMapping("/hello")
    String hello() {
        return "hello";
    }

    @EventListener(ApplicationReadyEvent.class)
    void expose() {
        proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .forward("http://127.0.0.1:" + environment.getProperty("local.server.port"))
                .start();
        System.out.println("ready " + proxy.uri());
    }

    @Override
    public void destroy() {
        proxy.close();
        System.out.println("closed");
    }
}
