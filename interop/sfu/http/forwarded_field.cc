#include "sfu/http/forwarded_field.h"

#include <algorithm>
#include <cstddef>

#include "common/http/field_syntax.h"
#include "common/ip_address.h"
#include "common/letter_case.h"

namespace sluice::interop::sfu {
namespace {

// Reads from the front of a text.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool take(char letter) {
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() { take_while(is_field_space); }
  // Empty: there is none.
  std::string_view token() { return take_while(is_token_letter); }
  std::optional<std::string> token_or_quoted() {
    if (take('"')) return rest_of_quoted();
    const std::string_view found = token();
    return found.empty() ? std::nullopt : std::optional(std::string{found});
  }

 private:
  std::string_view take_while(bool (*is_part)(char)) {
    const auto size =
        static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_part) - rest_.begin());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // RFC 9110 section 5.6.4.
  std::optional<std::string> rest_of_quoted() {
    std::string text;
    while (!rest_.empty()) {
      if (take('"')) return text;
      take('\\');
      if (rest_.empty()) break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

// forwarded-element: pairs with semicolons between them. False: it is none.
bool read_element(FieldReader& reader, std::string& node) {
  bool has_node = false;
  do {
    const std::string_view name = reader.token();
    if (name.empty()) continue;
    if (!reader.take('=')) return false;
    const auto value = reader.token_or_quoted();
    if (!value) return false;
    if (!equal_ignoring_case(name, "for")) continue;
    if (has_node) return false;  // section 4: once in an element
    has_node = true;
    node = *value;
  } while (reader.take(';'));
  return true;
}

bool is_port(std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  return !text.empty() && text.size() <= kMostDigits && std::ranges::all_of(text, is_digit);
}

}  // namespace

std::optional<std::vector<std::string>> forwarded_nodes(std::string_view field) {
  std::vector<std::string> nodes;
  FieldReader reader(field);
  do {
    reader.skip_space();
    if (!read_element(reader, nodes.emplace_back())) return std::nullopt;
    reader.skip_space();
  } while (reader.take(','));
  return reader.at_end() ? std::optional(std::move(nodes)) : std::nullopt;
}

std::vector<std::string> x_forwarded_for_nodes(std::string_view field) {
  std::vector<std::string> nodes;
  while (true) {
    const auto comma = field.find(',');
    std::string_view node = field.substr(0, comma);
    while (!node.empty() && is_field_space(node.front())) node.remove_prefix(1);
    while (!node.empty() && is_field_space(node.back())) node.remove_suffix(1);
    nodes.emplace_back(node);
    if (comma == std::string_view::npos) return nodes;
    field.remove_prefix(comma + 1);
  }
}

std::optional<dtls::UdpEndpoint> node_address(std::string_view node) {
  std::string_view host = node;
  std::string_view after;
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = node.substr(1, end - 1);
    after = node.substr(end + 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (std::ranges::count(node, ':') == 1) {
    host = node.substr(0, node.find(':'));
    after = node.substr(host.size());
  }
  if (!after.empty() && !(after.front() == ':' && is_port(after.substr(1)))) return std::nullopt;
  return common::read_address(std::string{host});
}

}  // namespace sluice::interop::sfu
