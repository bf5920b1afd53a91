#include "common/http/request_head.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

#include "common/http/field_syntax.h"
#include "common/letter_case.h"

namespace sluice::interop {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_letter);
}

// Without CR, LF and NUL, which end a line for some readers.
bool is_clean(std::string_view line) {
  return line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_field_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_field_space(text.back())) text.remove_suffix(1);
  return text;
}

// Collects the fields of a head.
class HeadReader {
 public:
  // False: a proxy could read it differently.
  bool add_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "Content-Length") && !add_length(value)) return false;
    if (equal_ignoring_case(name, "Transfer-Encoding") && value.empty()) return false;
    if (equal_ignoring_case(name, "Host")) ++hosts_;
    if (!equal_ignoring_case(name, "Range")) write_field(name, value);
    return true;
  }
  void add_line(std::string_view line) { head_.text.append(line).append(kLineEnd); }
  [[nodiscard]] int hosts() const { return hosts_; }
  RequestHead take() { return std::move(head_); }

 private:
  bool add_length(std::string_view value) {
    const bool is_number = !value.empty() && std::ranges::all_of(value, is_digit);
    const auto read = std::from_chars(value.data(), value.data() + value.size(), head_.body);
    return is_number && read.ec == std::errc{} && !std::exchange(has_length_, true);
  }
  void write_field(std::string_view name, std::string_view value) {
    head_.text.append(name).append(": ");
    for (const char letter : value) {
      if (letter == '%') {
        head_.text += "%25";
      } else {
        head_.text += letter;
      }
    }
    head_.text += kLineEnd;
  }

  RequestHead head_;
  bool has_length_ = false;
  int hosts_ = 0;
};

}  // namespace

std::optional<RequestHead> read_request_head(std::string_view head) {
  // Section 2.2: an empty line before it is passed over.
  if (head.starts_with(kLineEnd)) head.remove_prefix(kLineEnd.size());
  HeadReader reader;
  bool is_http11 = false;
  for (bool is_first = true;; is_first = false) {
    const auto end = head.find(kLineEnd);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + kLineEnd.size());
    if (!is_clean(line)) return std::nullopt;
    if (is_first) {
      is_http11 = line.ends_with(" HTTP/1.1");
      reader.add_line(line);  // the library is strict here
    } else if (line.empty()) {
      reader.add_line(line);
      break;
    } else if (!reader.add_field(line)) {
      return std::nullopt;
    }
  }
  if (!head.empty() || reader.hosts() > 1 || (is_http11 && reader.hosts() == 0))
    return std::nullopt;
  return reader.take();
}

}  // namespace sluice::interop
