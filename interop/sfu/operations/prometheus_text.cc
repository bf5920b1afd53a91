#include "sfu/operations/prometheus_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace sluice::interop::sfu {
namespace {

// A backslash and a line feed are escaped everywhere, the characters of `others` as well.
std::string escaped(std::string_view text, std::string_view others) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\n') {
      result += "\\n";
      continue;
    }
    if (letter == '\\' || others.find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace

void PrometheusText::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + escaped(help, "") + "\n";
  text_ += "# TYPE " + name_ + " " + std::string{type} + "\n";
}

void PrometheusText::add(std::uint64_t value, std::initializer_list<Label> labels) {
  add_text(std::to_string(value), labels);
}

void PrometheusText::add(double value, std::initializer_list<Label> labels) {
  add_text(number(value), labels);
}

void PrometheusText::add_text(std::string_view value, std::initializer_list<Label> labels) {
  text_ += name_;
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_ += std::string{label.name} + "=\"" + escaped(label.value, "\"") + "\"";
    before = ',';
  }
  if (labels.size() != 0) text_ += '}';
  text_ += " " + std::string{value} + "\n";
}

}  // namespace sluice::interop::sfu
