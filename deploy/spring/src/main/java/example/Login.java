package example;

import java.security.Principal;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The smallest login service: a form, one user, sessions in Redis. Its settings are in application.properties.
 * GET /api/auth/login shows the form, POST logs in, POST /api/auth/logout logs out, GET /api/auth/me names the user.
 */
@SpringBootApplication
@RestController
public class Login {
    public static void main(String[] arguments) {
        SpringApplication.run(Login.class, arguments);
    }

    @Bean
    SecurityFilterChain chain(HttpSecurity http) throws Exception {
        return http
                .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                // outside the context path of this service, hence a redirect of our own
                .formLogin(form -> form.successHandler(
                        (request, response, user) -> response.sendRedirect("/api/python/dashboard")))
                .logout(Customizer.withDefaults())
                .build();
    }

    @GetMapping("/me")
    Map<String, String> me(Principal user) {
        return Map.of("user", user.getName());
    }
}
