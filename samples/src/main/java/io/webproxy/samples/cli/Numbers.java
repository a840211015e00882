package io.webproxy.samples.cli;

import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converters for the numbers in options. A value out of range fails with the range as the message. */
final class Numbers {
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,9}");

    private static final Pattern ADDRESS_AND_PORT = Pattern.compile(".*:[0-9]{1,5}");

    private Numbers() {}

    /** A port to open, 0 for any free one. */
    static final class Port implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            if (ADDRESS_AND_PORT.matcher(value).matches()) {
                throw new TypeConversionException("a port, 0-65535; --bind ADDRESS names the address");
            }
            return number(value, 0, 65535);
        }
    }

    /** The port of a service. */
    static final class ServicePort implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            return number(value, 1, 65535);
        }
    }

    /** A number of threads, 0 for the default. */
    static final class Threads implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            return number(value, 0, 1024);
        }
    }

    /** A number of connections per minute. */
    static final class PerMinute implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            return number(value, 1, 1_000_000);
        }
    }

    private static int number(String value, int least, int most) {
        int number = DIGITS.matcher(value).matches() ? Integer.parseInt(value) : -1;
        if (number < least || number > most) {
            throw new TypeConversionException(least + "-" + most);
        }
        return number;
    }
}
