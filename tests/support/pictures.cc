// The samples' bytes, and the two writers.
// SPDX-License-Identifier: Apache-2.0
#include "support/pictures.h"

#include <array>

#include "base/assert.h"
#include "base/codec.h"
#include "base/file.h"

namespace sat::test {

namespace {

constexpr std::string_view kJpg =
    "/9j/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMR"
    "EyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAQABgDASIAAhEBAxEB/8QA"
    "HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS"
    "0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWm"
    "p6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcI"
    "CQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5"
    "OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU"
    "1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDm0tfarCWvtWklr7VYS19q9fMMRuZ4HFbGalr7UVtJa+1FfH18R759TRxX"
    "un//2Q==";

constexpr std::string_view kPng =
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAACXBIWXMAAAPoAAAD6AG1e1JrAAADSElEQVQ4jQ3MocJuMAAA0PsQi/+iRYsW"
    "LVq0aNGiRYsWLVq0SCQSiUQikegl7nce4PwD4IPgQeDC4CBgo2BhYOJgEKCToFWg0aA2oLKgdKDwIO9BNoJ0BskK4h1EJwhvELzg7x+AH4QP"
    "gheGB4EbhQuDE4eDgJ2ErYKNhrWBlYWlg4WHeQ+zEaYzTFYY7zA6YXjD4IW/CH0QPQhdGB0EbRQtDE0cDQJ1ErUKNRrVBlUWlQ4VHuU9ykaU"
    "zihZUbyj6EThjYIX/SL8QfwgfGF8ELxRvDA8cTwI3EncKtxoXBtcWVw6XHic9zgbcTrjZMXxjqMThzcOXvyLyAfJg8iFyUHIRsnCyMTJIEgn"
    "SatIo0ltSGVJ6UjhSd6TbCTpTJKVxDuJThLeJHjJL6IfpA+iF6YHoRulC6MTp4OgnaStoo2mtaGVpaWjhad5T7ORpjNNVhrvNDppeNPgpb+I"
    "fZA9iF2YHYRtlC2MTZwNgnWStYo1mtWGVZaVjhWe5T3LRpbOLFlZvLPoZOHNgpf9Iv5B/iB+YX4QvlG+MD5xPgjeSd4q3mheG15ZXjpeeJ73"
    "PBt5OvNk5fHOo5OHNw9e/ovEB8WDxIXFQcRGxcLExMUgRCdFq0SjRW1EZUXpROFF3otsFOksklXEu4hOEd4ieMUvkh+UD5IXlgeRG5ULkxOX"
    "g5CdlK2SjZa1kZWVpZOFl3kvs1Gms0xWGe8yOmV4y+CVv0h9UD1IXVgdRG1ULUxNXA1CdVK1SjVa1UZVVpVOFV7lvcpGlc4qWVW8q+hU4a2C"
    "V/0i/UH9IH1hfRC9Ub0wPXE9CN1J3SrdaF0bXVldOl14nfc6G3U662TV8a6jU4e3Dl79i8wHzYPMhc1BzEbNwszEzSBMJ02rTKNNbUxlTelM"
    "4U3em2w06WyS1cS7iU4T3iZ4zS+yH7QPshe2B7EbtQuzE7eDsJ20rbKNtrWxlbWls4W3eW+z0aazTVYb7zY6bXjb4LW/yH3QPchd2B3EbdQt"
    "zE3cDcJ10rXKNdrVxlXWlc4V3uW9y0aXzi5ZXby76HTh7YLX/SL/Qf8gf2F/EL9RvzA/cT8I30nfKt9oXxtfWV86X3if9z4bfTr7ZPXx7qPT"
    "h7cPXv/3H2iOAd8k9tCsAAAAAElFTkSuQmCC";

constexpr std::string_view kTif =
    "SUkqAIgEAAAUFOsdFOImFNkvFNA4FMdBFL5KFLVTFKxcFKNlFJpuFJF3FIiAFH+JFHaSFG2bFGSkFFutFFK2FEm/FEDIFDfRFC7aFCXjFBwU"
    "HesdHeImHdkvHdA4HcdBHb5KHbVTHaxcHaNlHZpuHZF3HYiAHX+JHXaSHW2bHWSkHVutHVK2HUm/HUDIHTfRHS7aHSXjHRwUJusdJuImJtkv"
    "JtA4JsdBJr5KJrVTJqxcJqNlJppuJpF3JoiAJn+JJnaSJm2bJmSkJlutJlK2Jkm/JkDIJjfRJi7aJiXjJhwUL+sdL+ImL9kvL9A4L8dBL75K"
    "L7VTL6xcL6NlL5puL5F3L4iAL3+JL3aSL22bL2SkL1utL1K2L0m/L0DILzfRLy7aLyXjLxwUOOsdOOImONkvONA4OMdBOL5KOLVTOKxcOKNl"
    "OJpuOJF3OIiAOH+JOHaSOG2bOGSkOFutOFK2OEm/OEDIODfROC7aOCXjOBwUQesdQeImQdkvQdA4QcdBQb5KQbVTQaxcQaNlQZpuQZF3QYiA"
    "QX+JQXaSQW2bQWSkQVutQVK2QUm/QUDIQTfRQS7aQSXjQRwUSusdSuImStkvStA4SsdBSr5KSrVTSqxcSqNlSppuSpF3SoiASn+JSnaSSm2b"
    "SmSkSlutSlK2Skm/SkDISjfRSi7aSiXjShwUU+sdU+ImU9kvU9A4U8dBU75KU7VTU6xcU6NlU5puU5F3U4iAU3+JU3aSU22bU2SkU1utU1K2"
    "U0m/U0DIUzfRUy7aUyXjUxwUXOsdXOImXNkvXNA4XMdBXL5KXLVTXKxcXKNlXJpuXJF3XIiAXH+JXHaSXG2bXGSkXFutXFK2XEm/XEDIXDfR"
    "XC7aXCXjXBwUZesdZeImZdkvZdA4ZcdBZb5KZbVTZaxcZaNlZZpuZZF3ZYiAZX+JZXaSZW2bZWSkZVutZVK2ZUm/ZUDIZTfRZS7aZSXjZRwU"
    "busdbuImbtkvbtA4bsdBbr5KbrVTbqxcbqNlbppubpF3boiAbn+JbnaSbm2bbmSkblutblK2bkm/bkDIbjfRbi7abiXjbhwUd+sdd+Imd9kv"
    "d9A4d8dBd75Kd7VTd6xcd6Nld5pud5F3d4iAd3+Jd3aSd22bd2Skd1utd1K2d0m/d0DIdzfRdy7adyXjdxwUgOsdgOImgNkvgNA4gMdBgL5K"
    "gLVTgKxcgKNlgJpugJF3gIiAgH+JgHaSgG2bgGSkgFutgFK2gEm/gEDIgDfRgC7agCXjgBwUiesdieImidkvidA4icdBib5KibVTiaxciaNl"
    "iZpuiZF3iYiAiX+JiXaSiW2biWSkiVutiVK2iUm/iUDIiTfRiS7aiSXjiRwUkusdkuImktkvktA4ksdBkr5KkrVTkqxckqNlkppukpF3koiA"
    "kn+JknaSkm2bkmSkklutklK2kkm/kkDIkjfRki7akiXjkhwUm+sdm+Imm9kvm9A4m8dBm75Km7VTm6xcm6Nlm5pum5F3m4iAm3+Jm3aSm22b"
    "m2Skm1utm1K2m0m/m0DImzfRmy7amyXjmxwPAAABAwABAAAAGAAAAAEBAwABAAAAEAAAAAIBAwADAAAAUgUAAAMBAwABAAAAAQAAAAYBAwAB"
    "AAAAAgAAABEBBAABAAAACAAAABIBAwABAAAAAQAAABUBAwABAAAAAwAAABYBAwABAAAAgAAAABcBBAABAAAAgAQAABoBBQABAAAAQgUAABsB"
    "BQABAAAASgUAABwBAwABAAAAAQAAACgBAwABAAAAAwAAAFMBAwADAAAAWAUAAAAAAAAKAAAAAQAAAAoAAAABAAAACAAIAAgAAQABAAEA";

constexpr std::string_view kWebp =
    "UklGRhgBAABXRUJQVlA4WAoAAAAIAAAAFwAADwAAVlA4TDgAAAAvF8ADAAmAIAb8D5uI6H9qARCE/20TEf1PgUjbZnT8/vUOHgoJUky1KxZM"
    "5q8aQG9MwI6uBeo/AUVYSUa6AAAARXhpZgAASUkqAAgAAAAGABIBAwABAAAAAQAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgBAwABAAAA"
    "AgAAABMCAwABAAAAAQAAAGmHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAABgAAkAcABAAAADAyMTABkQcABAAAAAECAwAAoAcABAAA"
    "ADAxMDABoAMAAQAAAP//AAACoAQAAQAAABgAAAADoAQAAQAAABAAAAAAAAAA";

constexpr std::string_view kGif =
    "R0lGODlhGAAQAIcAABhu52lBlo5pceNgHDNTzEE8vpdTaBhl5xRX6xib5xh355tFZCFX3kpOtbuJRHtFhJtpZNpXJZcUaK1FUrZpSYAqf79X"
    "QEFyviZg2WVgmq1XUncYiFw8ozxlw1NyrIkYdnJyjWlTli9y0KmbVjxcw3cqiI53cY44cc1XMi9g0EpgtYA8f6mJVlwho24qkallVoBgf3Jc"
    "jZIhbY6AcY5ccWUzmmUYmq0zUkFOvntThGVymo5BcVM8rIAYf1NgrI5KcYkqdr9FQHJljVdKqFeJqKmAVjyJw6BXX7ZFSchpN3yAhKl3VleA"
    "qG4YkVMqrDNKzHI4jY6JcZszZBRF63x3hHyJhKRFW6luViGA3s2JMtFFLtFyLqQhW6mSVpshZCGJ3lMYrMSbOypB1WmAljyAw0oqtchFN9Ez"
    "LsSSO1eSqGmJltozJbYzSR1F4q0YUhQz68gYNxQY60EqvjgYxyYz2UoYtdoYJeMYHC8q0CYY2cQ4O+MzHL8qQEEYvrYYSS8Y0L8YQB0Y4hSS"
    "6zhBx793QJJlbdFcLuNKHBSJ68h3N4Cbf4Buf6QUW0putUo4tVNTrEpBtW5ukbZ3SRQm63ebiFwUo3dKiFxTo1wvo+NTHDh3x9puJWVKmolu"
    "dlx3o8hTN79lQFxuoyZ32Ymbdlybo1ObrNplJVxcozhux+OSHImSdpuJZNpKJTiSxzibx79uQON3HICSfy+S0C+b0EqAtbZTSaQ4W9FlLiZu"
    "2aRcW4lTduNuHJIvbdp3JR1T4uObHJt3ZKQvW9qAJWUmmi+A0B2S4m5KkVxloy+J0GWbmrZcSXeSiG6bkZuAZLaASb+AQNqJJZKbbZKSbUqb"
    "tdqSJW6SkdqbJRSA69GALjg4x0qStbaSSSaS2WWSmkGSvuOJHJubZEp3tZuSZNGbLtGSLkqJtbabSSab2ciAN0GbvuOAHNpBJdEULh0v4uNB"
    "HOMmHMgmNx0m4iZK2S840Dgvx9EdLq0mUtEmLsgvN9omJR044rYmSTgmxyYm2Y5TowAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQEAAAAACwA"
    "AAAAGAAQAAAI/wDjBMrzZ06fOmAq2WiyoccHCRIYufEDCA47O3cEEjSIsMXChh9keOEysWI9jJPi9cPDT04ZJy2GuShRAYhILvb28YF3L9+7"
    "N+3o4KHn0gmmGjNr8pIS7AYbPvjOrNnzRh+dedkKOOLBoQYUKCtOnJBiy6kePVL3TGkjRsygApC4BgjwYMWOHQusTEASxIyWde7WynvyBEeD"
    "IUM4GbP04MePvHv7amF1CIEvBgQIGH50KUSIHDl0GTBwREMtC59QRMiEgAGGFCRIqPBxKkOMGDBo0DiSS4MyCygMRRhw4MDrDh1mH8sgRAgM"
    "AYUgvHhBAVSSW6YGAACASwSqC408hKfSEQnEok4CIFy5QuFVki2bdilQIEqEpgvhPHjSAYIKFRMmALPEEpIQksgWvcByDRZYEEMGGbQwwcQY"
    "YyihxAwzNFNEEc48gw42wqiDyBdfIGOEEeUQQYQaalRRRRRRrMICCw44kEUW0HwjSDHcyNKKN9qkkUY31SwTiyrSiNNFF9uggQY51KSSQALn"
    "zOJKOtOUQkoyzFCiyCjRgDPCCOaEEcY41vwSEAA7";

constexpr std::string_view kAvif =
    "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRt"
    "AAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAEOAAEAAAAAAAAAKwAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGF2MDEAAAAAamlw"
    "cnAAAABLaXBjbwAAABNjb2xybmNseAACAAIABoAAAAAMYXYxQ4EADAAAAAAUaXNwZQAAAAAAAAAYAAAAEAAAABBwaXhpAAAAAAMICAgAAAAX"
    "aXBtYQAAAAAAAAABAAEEgYIDhAAAADNtZGF0EgAKCRgQ7+wQICBoQDIcGYAAAEDDauUerlaJgxMcCaSo/GfZAVMINGgEYA==";

constexpr std::array<Sample, 6> kSamples = {{
    {"picture.jpg", "image/jpeg", kJpg},
    {"picture.png", "image/png", kPng},
    {"picture.tif", "image/tiff", kTif},
    {"picture.webp", "image/webp", kWebp},
    {"picture.gif", "image/gif", kGif},
    {"picture.avif", "image/avif", kAvif},
}};

// Little-endian, as TIFF's "II" has it.
class LittleEndian {
public:
    LittleEndian& u16(std::uint32_t value) { return put(value, 2); }
    LittleEndian& u32(std::uint32_t value) { return put(value, 4); }
    LittleEndian& field(std::uint32_t tag, std::uint32_t type, std::uint32_t count, std::uint32_t value) {
        return u16(tag).u16(type).u32(count).u32(value);
    }
    Bytes take() { return std::move(bytes_); }
    std::size_t size() const { return bytes_.size(); }

private:
    LittleEndian& put(std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
        return *this;
    }
    Bytes bytes_;
};

std::uint32_t crc32(ByteView bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const std::byte byte : bytes) {
        crc ^= static_cast<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
    return ~crc;
}

}  // namespace

const std::array<Sample, 6>& samples() { return kSamples; }

Bytes sample_bytes(const Sample& sample) {
    auto bytes = from_base64(sample.base64);
    SAT_ASSERT(bytes.has_value());
    return *bytes;
}

Bytes make_tiff(std::size_t bytes, std::uint32_t seed) {
    constexpr std::uint32_t kWidth = 1024;
    constexpr std::uint32_t kRow = kWidth * 3;
    constexpr std::uint32_t kRowsPerStrip = 16;
    const auto strips = static_cast<std::uint32_t>(bytes / (kRow * kRowsPerStrip) + 1);
    const std::uint32_t height = strips * kRowsPerStrip;
    constexpr std::uint32_t kFields = 11;
    const std::uint32_t bits_at = 8 + 2 + kFields * 12 + 4;
    const std::uint32_t offsets_at = bits_at + 6;
    const std::uint32_t counts_at = offsets_at + (strips > 1 ? 4 * strips : 0);
    const std::uint32_t data_at = counts_at + (strips > 1 ? 4 * strips : 0);

    LittleEndian out;
    out.u16(0x4949).u16(42).u32(8).u16(kFields);
    out.field(256, 4, 1, kWidth).field(257, 4, 1, height).field(258, 3, 3, bits_at).field(259, 3, 1, 1);
    out.field(262, 3, 1, 2);
    out.field(273, 4, strips, strips > 1 ? offsets_at : data_at);
    out.field(274, 3, 1, 1).field(277, 3, 1, 3).field(278, 4, 1, kRowsPerStrip);
    out.field(279, 4, strips, strips > 1 ? counts_at : kRow * kRowsPerStrip);
    out.field(284, 3, 1, 1).u32(0);
    out.u16(8).u16(8).u16(8);
    if (strips > 1) {
        for (std::uint32_t i = 0; i < strips; ++i) out.u32(data_at + i * kRow * kRowsPerStrip);
        for (std::uint32_t i = 0; i < strips; ++i) out.u32(kRow * kRowsPerStrip);
    }
    SAT_ASSERT(out.size() == data_at);
    Bytes file = out.take();
    file.reserve(data_at + std::size_t{kRow} * height);
    std::uint32_t state = seed * 2654435761U + 1;
    for (std::size_t i = 0; i < std::size_t{kRow} * height; ++i) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        file.push_back(static_cast<std::byte>(state & 0xFF));
    }
    return file;
}

Bytes make_png_with_text(std::string_view text) {
    const Bytes png = sample_bytes(kSamples[1]);
    constexpr std::size_t kAfterHeader = 8 + 25;  // signature and IHDR
    ByteWriter body;
    body.raw(as_bytes("tEXtComment")).u8(0).raw(as_bytes(text));
    ByteWriter out;
    out.raw(ByteView(png).first(kAfterHeader));
    out.u32(static_cast<std::uint32_t>(body.bytes().size() - 4)).raw(body.bytes()).u32(crc32(body.bytes()));
    out.raw(ByteView(png).subspan(kAfterHeader));
    return out.take();
}

}  // namespace sat::test
